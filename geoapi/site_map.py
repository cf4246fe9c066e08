"""The map picture of an answered request: every delivered feature that has a place."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from shapely import Polygon

from geoapi.dig_request import Answered
from ler.model import Feature, load_model
from ler.packages.map_picture import MapFeature, MapPicture, MapText, draw_map
from ler.packages.styles import Language

_WORDS: Final[dict[str, dict[Language, str]]] = {
    "title": {"da": "Graveforespørgsel {number}", "en": "Excavation request {number}"},
    "period": {"da": "{purpose} · {first} til {last}", "en": "{purpose} · {first} to {last}"},
    "answers": {
        "da": "{answered} af {asked} ledningsejere har svaret",
        "en": "{answered} of {asked} owners answered",
    },
    "no_lines": {"da": "Ingen ledninger: {names}", "en": "No lines: {names}"},
    "missing": {"da": "GRAV IKKE: mangler svar fra {names}", "en": "DO NOT DIG: no answer from {names}"},
}


def draw_site_map(
    path: Path, answered: Answered, *, streets: Sequence[Polygon] = (), language: Language = "en"
) -> MapPicture:
    """Draw the dig area with all that was delivered; owners without lines and without answer are named in words."""
    request = answered.request
    empty = [o.name for o in answered.owners if o.delivery and not o.delivery.features]
    missing = [o.name for o in answered.missing]

    def words(key: str, **values: object) -> str:
        return _WORDS[key][language].format(**values)

    text = MapText(
        title=words("title", number=request.order_number),
        subtitle=words("period", purpose=request.purpose, first=request.period_from, last=request.period_to),
        notes=(
            words("answers", answered=len(answered.owners) - len(missing), asked=len(answered.owners)),
            *([words("no_lines", names=", ".join(empty))] if empty else []),
        ),
        warnings=(words("missing", names=", ".join(missing)),) if missing else (),
    )
    features = list(_map_features(answered))
    return draw_map(path, area=request.area, features=features, text=text, streets=streets, language=language)


def _map_features(answered: Answered) -> Iterator[MapFeature]:
    types = load_model().types
    for owner in answered.owners:
        for feature in owner.delivery.features if owner.delivery else ():
            if feature.geometry is not None:
                utility = next(iter(feature.utility_types(types[feature.type])), "")
                yield MapFeature(
                    geometry=feature.geometry,
                    feature_type=feature.type,
                    utility_type=utility,
                    owner=owner.name,
                    danger_class=_text(feature, "fareklasse"),
                    operational_status=_text(feature, "driftsstatus"),
                )


def _text(feature: Feature, name: str) -> str | None:
    value = feature.attributes.get(name)
    return value if isinstance(value, str) else None
