"""Works and restrictions as records: named values of JSON, as files and callers give them, to what they mean and back.

Every fault is told with its place. A value that is not of its kind is refused, never guessed; a name that nothing means is a
fault too, so that a slip of the pen does not pass for a wish. Ids, versions and times are not the author's to say.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry

from ler.domain.faults import Fault
from ler.domain.legal_time import legal_day
from ler.domain.restrictions import Restriction, RestrictionKind
from ler.domain.works import Method, PlannedWork, RoadOccupation, Surface, WorkStatus

type Values = Mapping[str, object]
"""Name -> value of JSON."""

_SHOWN: Final = 60
_OF_SHAPEFILE: Final = 10
_TRUTHS: Final = {
    "true": True,
    "yes": True,
    "ja": True,
    "1": True,
    "false": False,
    "no": False,
    "nej": False,
    "0": False,
}


@dataclass(frozen=True, slots=True)
class _Field:
    """How one value is read: `read` raises ValueError with what is wanted."""

    read: Callable[[object], Any]
    required: bool = False


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")  # noqa: TRY004 - read as what is wanted
    return value.strip()


def _optional_text(value: object) -> str | None:
    return _text(value) or None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a number")
    return float(value)


def _whole(value: object) -> int:
    number = _number(value)
    if number != int(number) or abs(number) > _MOST:
        raise ValueError("a whole number")
    return int(number)


_MOST: Final = 2**31 - 1


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - read as what is wanted
    return value


def _day(value: object) -> date:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise ValueError("a day, yyyy-mm-dd") from None


def _id(value: object) -> UUID:
    try:
        return UUID(_text(value))
    except ValueError:
        raise ValueError("an id (UUID)") from None


def _code(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    def read(value: object) -> StrEnum:
        try:
            return kind(_text(value))
        except ValueError:
            raise ValueError(f"one of {', '.join(sorted(kind))}") from None

    return read


WORK_FIELDS: Final[Mapping[str, _Field]] = {
    "title": _Field(_text, required=True),
    "activity": _Field(_text, required=True),
    "method": _Field(_code(Method), required=True),
    "depth_m": _Field(_number),
    "duration_days": _Field(_whole, required=True),
    "earliest_start": _Field(_day, required=True),
    "latest_end": _Field(_day, required=True),
    "planned_start": _Field(_day),
    "road": _Field(_code(RoadOccupation)),
    "surface": _Field(_code(Surface)),
    "status": _Field(_code(WorkStatus)),
    "willing_to_share": _Field(_truth),
    "ducts_wanted": _Field(_whole),
    "ducts_offered": _Field(_whole),
    "width_m": _Field(_number),
    "road_area_m2": _Field(_number),
    "reference": _Field(_optional_text),
    "contact": _Field(_optional_text),
}
"""What the author of a work says of it, besides its place."""

RESTRICTION_FIELDS: Final[Mapping[str, _Field]] = {
    "kind": _Field(_code(RestrictionKind), required=True),
    "title": _Field(_text, required=True),
    "first_day": _Field(_day, required=True),
    "last_day": _Field(_day),
    "source": _Field(_text, required=True),
    "work_id": _Field(_id),
}


def read_work(
    values: Values,
    geometry: BaseGeometry,
    *,
    work_id: UUID,
    organisation_id: UUID,
    version: int = 1,
    base: str = "",
) -> tuple[PlannedWork | None, list[Fault]]:
    """Return the work of a record, geometry in EPSG:25832, or None and what is wrong; `base` leads to the values.

    What is not said, or null, has its default. The rules of works (`WorkRules`) are not asked.
    """
    read, faults = _read(values, WORK_FIELDS, base)
    if faults:
        return None, faults
    kept = {
        "id": work_id,
        "organisation_id": organisation_id,
        "version": version,
        "geometry": shapely.force_2d(geometry),
    }
    return PlannedWork(**({"depth_m": None} | read | kept)), []


def read_restriction(
    values: Values,
    geometry: BaseGeometry,
    *,
    restriction_id: UUID,
    organisation_id: UUID,
    version: int = 1,
    base: str = "",
) -> tuple[Restriction | None, list[Fault]]:
    """Return the restriction of a record, or None and what is wrong; as `read_work`."""
    read, faults = _read(values, RESTRICTION_FIELDS, base)
    if faults:
        return None, faults
    kept = {
        "id": restriction_id,
        "organisation_id": organisation_id,
        "version": version,
        "geometry": shapely.force_2d(geometry),
    }
    return Restriction(**({"last_day": None} | read | kept)), []


def record_of(thing: PlannedWork | Restriction) -> dict[str, object]:
    """Return the values of a work or restriction as JSON has them: what `read_work` reads, nothing left out."""
    fields = WORK_FIELDS if isinstance(thing, PlannedWork) else RESTRICTION_FIELDS
    return {name: _plain(getattr(thing, name)) for name in fields}


def values_of_cells(
    cells: Mapping[str, object], fields: Mapping[str, _Field]
) -> tuple[dict[str, object], list[str]]:
    """Return the cells of a row of a table as values of JSON, and the columns that mean nothing.

    Names are compared without case and by the ten letters that a shapefile keeps. Texts become numbers and truth values
    where such are wanted; what cannot is left as it is, for `read_work` to refuse.
    """
    known = {name[:_OF_SHAPEFILE]: name for name in fields}
    values: dict[str, object] = {}
    unused = []
    for column, cell in cells.items():
        name = known.get(column.strip().lower()[:_OF_SHAPEFILE])
        if name is None or column.strip().lower() not in {name, name[:_OF_SHAPEFILE]}:
            unused.append(column)
        elif cell is not None and cell != "":
            values[name] = _value_of_cell(cell, fields[name])
    return values, unused


def _value_of_cell(cell: object, field: _Field) -> object:
    if isinstance(cell, date):
        day = legal_day(cell) if isinstance(cell, datetime) and cell.tzinfo else cell
        return f"{day:%Y-%m-%d}"
    if field.read in {_number, _whole} and isinstance(cell, str):
        try:
            return float(cell)
        except ValueError:
            return cell
    if field.read is _truth and not isinstance(cell, bool):
        return _TRUTHS.get(str(cell).strip().lower(), cell)
    if field.read in {_text, _optional_text} and isinstance(cell, int | float):
        return f"{cell:.15g}"
    return cell


def merged(before: Values, patch: Values) -> dict[str, object]:
    """Return a record with a patch laid over it: null takes a value away (RFC 7396; no value of ours is an object)."""
    return {name: value for name, value in {**before, **patch}.items() if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _read(values: Values, fields: Mapping[str, _Field], base: str) -> tuple[dict[str, Any], list[Fault]]:
    read: dict[str, Any] = {}
    faults = [
        Fault(
            "field-invalid", f"{base}/{_pointed(name)}", f"{name[:_SHOWN]!r} is none of: {', '.join(fields)}"
        )
        for name in values
        if name not in fields
    ]
    for name, field in fields.items():
        value = values.get(name)
        if value is None:
            if field.required:
                faults.append(Fault("field-missing", f"{base}/{name}", f"{name} is missing"))
            continue
        try:
            read[name] = field.read(value)
        except (ValueError, OverflowError) as wanted:
            found = str(value)[:_SHOWN]
            faults.append(
                Fault("field-invalid", f"{base}/{name}", f"{name} is {found!r}, wanted is {wanted}")
            )
    return read, faults


def _pointed(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901)."""
    return name[:_SHOWN].replace("~", "~0").replace("/", "~1")
