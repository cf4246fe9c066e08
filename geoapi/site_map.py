"""The map picture of an answered request: every delivered feature that has a place."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from shapely import Polygon

from geoapi.dig_request import Answered
from ler.model import Feature, load_model
from ler.packages.map_canvas import detail_windows
from ler.packages.map_picture import OVERVIEW_BEYOND, MapFeature, MapPicture, MapText, draw_map
from ler.packages.styles import Language

DETAIL_DENOMINATOR: Final = 500
"""Scale of detail maps."""

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


def draw_site_maps(
    folder: Path, answered: Answered, *, streets: Sequence[Polygon] = (), language: Language = "en"
) -> list[Path]:
    """Draw the dig area with all that was delivered, and detail maps where lines cannot be told apart on that.

    Owners without lines and without answer are named in words. Returns the pictures, the one of the whole area first.
    """
    text, features = _map_text(answered, language), list(_map_features(answered))

    def draw(name: str, window: Polygon | None = None) -> MapPicture:
        return draw_map(
            folder / name,
            area=answered.request.area,
            features=features,
            text=text,
            streets=streets,
            language=language,
            window=window,
        )

    stem = f"map-{answered.request.order_number}"
    paths = [folder / f"{stem}.png"]
    if draw(paths[0].name).denominator > OVERVIEW_BEYOND:
        for number, window in enumerate(detail_windows(answered.request.area, DETAIL_DENOMINATOR), start=1):
            paths.append(folder / f"{stem}-detail-{number}.png")
            draw(paths[-1].name, window)
    return paths


def _map_text(answered: Answered, language: Language) -> MapText:
    request = answered.request
    empty = [o.name for o in answered.owners if o.answered and not o.feature_count]
    missing = [o.name for o in answered.missing]

    def words(key: str, **values: object) -> str:
        return _WORDS[key][language].format(**values)

    return MapText(
        title=words("title", number=request.order_number),
        subtitle=words("period", purpose=request.purpose, first=request.period_from, last=request.period_to),
        notes=(
            words("answers", answered=len(answered.owners) - len(missing), asked=len(answered.owners)),
            *([words("no_lines", names=", ".join(empty))] if empty else []),
        ),
        warnings=(words("missing", names=", ".join(missing)),) if missing else (),
    )


def _map_features(answered: Answered) -> Iterator[MapFeature]:
    types = load_model().types
    for owner in answered.owners:
        for feature in (one for delivery in owner.deliveries for one in delivery.features):
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
