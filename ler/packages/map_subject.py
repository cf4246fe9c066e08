"""What the maps of a package show and say: every delivered feature that has a place, and the words around it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from ler.domain.legal_time import legal_day
from ler.packages.advice import ALL_ANSWERED, Advice, advise, moment_text
from ler.packages.assessment import Assessed, Depth
from ler.packages.content import OwnerStatus
from ler.packages.contents import Contents
from ler.packages.cover import Cover
from ler.packages.map_shapes import MapFeature, Scene
from ler.packages.map_sheet import Alert, SheetText, Subject
from ler.packages.map_texts import Said
from ler.packages.styles import load_styles
from ler.packages.verification import verification_url

_FEATURELESS: Final = frozenset({"Informationsressource"})
_ATTACHED: Final = "▤"


def subject_of(contents: Contents) -> Subject:
    """Make ready what the sheets show; InputError for coordinates that are not finite."""
    styles = load_styles(contents.options.theme)
    scene = Scene(
        [_map_feature(one) for one in contents.assessed if one.feature.type not in _FEATURELESS], styles
    )
    deliveries = [delivery for owner in contents.owners for delivery in owner.deliveries]
    marking = [cell for one in deliveries if one.marking_area for cell in one.marking_area.geoms]
    return Subject(contents.request.area, scene, sheet_text(contents), contents.base_map, styles, marking)


def _map_feature(one: Assessed) -> MapFeature:
    feature = one.feature
    status = feature.attributes.get("driftsstatus")
    return MapFeature(
        geometry=feature.geometry,
        feature_type=feature.type,
        utility_type=one.utility_type,
        owner=one.owner.name,
        danger_class=one.danger,
        operational_status=status if isinstance(status, str) else None,
        band_m=one.band.half_width_m,
        band_known=one.band.known,
        note=" ".join(_notes(one.depth, one.cover, attached=bool(feature.attributes.get("bilag")))),
    )


def _notes(depth: Depth | None, cover: Cover, *, attached: bool) -> Iterator[str]:
    """What stands beside a single feature, of which the legend tells the signs."""
    if depth and depth.indicative_m is not None:
        yield f"↓{_metres(depth.indicative_m)}"
    if cover.min_m is not None and cover.max_m is not None:
        ends = dict.fromkeys((_metres(cover.min_m), _metres(cover.max_m)))
        off = f"±{_metres(cover.uncertainty_m)}" if cover.uncertainty_m is not None else ""
        yield f"≈{'–'.join(ends)}{off}"
    if attached:
        yield _ATTACHED


def _metres(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")


def sheet_text(contents: Contents) -> SheetText:
    """Return the words on every sheet."""
    request, owners = contents.request, contents.owners
    told = advise(request, owners)
    what = " · ".join(
        words for words in (request.purpose, request.description, request.order_reference) if words
    )
    return SheetText(
        title=Said(f"Graveforespørgsel {request.order_number}", f"Excavation request {request.order_number}"),
        subtitle=f"{what} · {request.period_from} – {request.period_to}",
        warnings=[_alert(one) for one in told if one.code != ALL_ANSWERED],
        notes=list(_notes_on_answers(owners)),
        dates=list(_dates(contents)),
        url=verification_url(contents),
    )


def _alert(advice: Advice) -> Alert:
    who = [da for da, _ in advice.lines]
    return Alert(
        Said(advice.da, advice.en), " · ".join(who), " · ".join(one.partition(" (")[0] for one in who)
    )


def _notes_on_answers(owners: Sequence[OwnerStatus]) -> Iterator[Said]:
    if owners:
        answered = sum(owner.answered for owner in owners)
        yield Said(
            f"{answered} af {len(owners)} ledningsejere har svaret",
            f"{answered} of {len(owners)} owners answered",
        )
    without = ", ".join(owner.name for owner in owners if owner.answered and not owner.feature_count)
    if without:
        yield Said("Har svaret uden ledninger", f"answered without lines: {without}")


def _dates(contents: Contents) -> Iterator[tuple[Said, str]]:
    request = contents.request
    deliveries = [delivery for owner in contents.owners for delivery in owner.deliveries]
    yield Said("Spurgt", "Asked"), moment_text(request.created_at)
    answers = _days([one.answered_at for one in deliveries if one.answered_at])
    data = _days([one.published_at for one in deliveries if one.published_at])
    if answers:
        yield Said("Svar", "Answers"), answers
    if data:
        yield Said("Ejernes data fra", "Owners' data of"), data
    told = moment_text(request.changed_at or request.created_at)
    yield Said(f"Udgave {request.revision}", f"Revision {request.revision}"), told


def _days(moments: Sequence[datetime]) -> str:
    """The first and the last legal day, or the one that there is."""
    days = sorted({legal_day(one) for one in moments})
    return " – ".join(str(day) for day in dict.fromkeys((days[0], days[-1]))) if days else ""
