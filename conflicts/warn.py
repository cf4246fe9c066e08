"""From conflicts and precautions to what a package warns of: one for each owner and utility type, the nearest zone first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from conflicts.clearances import ZONES, Clearances, Zone
from conflicts.detect import Conflict
from conflicts.existing import Delivered
from conflicts.precaution_words import hit_reason
from conflicts.precautions import OwnersHit
from conflicts.words import ZONE_WORDS, reason
from ler.model import load_model
from ler.packages.warnings import NearestZone, OwnersMeasure, UtilityWarning

type _Key = tuple[UUID, str | None]


def theme_of(delivered: Delivered) -> str | None:
    """Return the LER forsyningsart under which a line is told; None when it tells none."""
    themes = delivered.feature.utility_types(load_model().types[delivered.feature.type])
    return themes[0] if themes else None


def warnings_of(
    conflicts: Sequence[Conflict],
    hits: Sequence[OwnersHit],
    delivered: Sequence[Delivered],
    clearances: Clearances,
    owners: Sequence[UUID],
) -> list[UtilityWarning]:
    """Return what is warned of, the nearest zone first, then in the order of the owners; `delivered` as hits number it."""
    near: dict[_Key, list[Conflict]] = defaultdict(list)
    for one in conflicts:
        if one.delivered.owner_id is not None:
            near[one.delivered.owner_id, theme_of(one.delivered)].append(one)
    asked: dict[_Key, list[OwnersMeasure]] = defaultdict(list)
    for hit in hits:
        asked[hit.owner_id, hit.hit.theme].append(_measure(hit, delivered, clearances))
    place: Mapping[UUID, int] = {owner: number for number, owner in enumerate(owners)}
    found = [
        UtilityWarning(
            owner,
            theme,
            _nearest(near.get((owner, theme), ()), clearances),
            tuple(asked.get((owner, theme), ())),
        )
        for owner, theme in sorted(near.keys() | asked.keys(), key=lambda key: (place[key[0]], key[1] or ""))
    ]
    return sorted(found, key=lambda one: ZONES.index(Zone(one.zone.zone)) if one.zone else len(ZONES))


def _nearest(conflicts: Sequence[Conflict], clearances: Clearances) -> NearestZone | None:
    if not conflicts:
        return None
    zone = min((one.zone for one in conflicts), key=ZONES.index)
    inside = [one for one in conflicts if one.zone is zone]
    told = min(inside, key=lambda one: (one.least_m, -one.limit_m, one.delivered.feature.gml_id))
    return NearestZone(
        zone.value,
        ZONE_WORDS[zone]["da"],
        ZONE_WORDS[zone]["en"],
        told.limit_m,
        told.least_m,
        told.delivered.feature.gml_id,
        len(inside),
        len(conflicts),
        reason(told, clearances, "da"),
        reason(told, clearances, "en"),
    )


def _measure(one: OwnersHit, delivered: Sequence[Delivered], clearances: Clearances) -> OwnersMeasure:
    hit, row = one.hit, one.hit.row
    kind = delivered[hit.nearest.number].feature.type
    return OwnersMeasure(
        row.priority,
        row.da,
        row.en,
        row.contact,
        row.notice_days,
        hit.lines,
        hit.nearest.gml_id,
        hit.reasons,
        hit_reason(hit, kind, clearances, "da"),
        hit_reason(hit, kind, clearances, "en"),
    )
