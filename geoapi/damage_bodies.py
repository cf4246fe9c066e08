"""Damages as they are sent: JSON, or a year's file of comma separated values read strictly."""

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from shapely import Point

from geoapi.geojson import GeometryBody, read_geometry
from geoapi.parameters import Day
from ler.domain.damages import Damage
from ler.domain.dig_area import Coverage
from ler.domain.faults import Fault, refuse_faults
from ler.domain.legal_time import parse_date
from ler.errors import RefusedError

COLUMNS: Final = (
    *("reference", "utility_type", "happened_on", "date_is", "east", "north", "cause", "caused_by"),
    *("caused_by_cvr", "caused_by_name", "order_number", "gml_id", "environment", "repair_cost"),
    *("administration_cost", "description"),
)
NEEDED: Final = ("reference", "utility_type", "happened_on", "east", "north", "cause", "caused_by")
_LARGEST_NUMBER: Final = 2**63


def _cost(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str | None):
        raise ValueError("a cost is a number")  # noqa: TRY004 - as above
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        raise ValueError("a cost is a number") from None


type Cost = Annotated[
    # Only an amount has digits: asked of null, how many they are is an error of pydantic's.
    Annotated[Decimal, Field(max_digits=14, decimal_places=2)] | None,
    BeforeValidator(_cost),
    Field(description="DKK."),
]
type Line = Annotated[str, Field(max_length=1000)]


class DamageBody(BaseModel):
    """One damage; the codes are those that GET /api/v1/damages/codes lists."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reference: Annotated[Line, Field(description="Your own number of the damage.")]
    utility_type: Line
    happened_on: Day
    date_is: Literal["happened", "discovered"] = "happened"
    place: GeometryBody
    cause: Line
    caused_by: Line
    caused_by_cvr: Line | None = None
    caused_by_name: Line | None = None
    order_number: Annotated[int | None, Field(ge=0, lt=_LARGEST_NUMBER)] = None
    gml_id: Line | None = None
    environment: Line | None = None
    repair_cost: Cost = None
    administration_cost: Cost = None
    description: Line | None = None

    def damage(self, coverage: Coverage, pointer: str) -> Damage:
        """Return it; a problem that points to the place when that is none."""
        place = read_geometry(self.place, "EPSG:25832", coverage, f"{pointer}/place", kinds=("Point",))
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "place"}
        return Damage(place=Point(place.coords[0][:2]), **values)


class DamagesBody(BaseModel):
    """Several damages, entered together or not at all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    damages: Annotated[list[DamageBody], Field(min_length=1)]


def read_csv(content: bytes) -> list[Damage]:
    """Return the damages of a file: UTF-8, a header with our column names, `;` or `,` between them, a decimal point.

    FaultsError with `/damages/PLACE/COLUMN` for each cell; RefusedError `csv-dialect` for a file that is read wrongly.
    """
    rows = _rows(content)
    names = next(rows, [])
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in names]
    if unknown or missing or len(set(names)) < len(names):
        raise RefusedError(
            "csv-dialect",
            f"line 1 names the columns, each once: {', '.join(COLUMNS)}; needed are {', '.join(NEEDED)}",
        )
    damages: list[Damage] = []
    faults: list[Fault] = []
    for place, row in enumerate(rows):
        if len(row) != len(names):
            raise RefusedError("csv-dialect", f"record {place + 1} has {len(row)} cells, not {len(names)}")
        made = _damage(dict(zip(names, row, strict=True)), f"/damages/{place}", faults)
        damages += [made] if made else []
    refuse_faults(faults)
    return damages


def _rows(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError("encoding-invalid", f"byte {error.start} is not UTF-8") from None
    if "\x00" in text:
        raise RefusedError("text-invalid", "the file holds a NUL character")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    try:
        yield from (
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row
        )
    except csv.Error as error:
        raise RefusedError("csv-dialect", f"the file is not well formed: {error}") from None


def _damage(cells: dict[str, str], pointer: str, faults: list[Fault]) -> Damage | None:
    given = {name: value.strip() for name, value in cells.items() if value.strip()}
    before = len(faults)
    faults += [
        Fault("field-invalid", f"{pointer}/{name}", "a value is needed")
        for name in NEEDED
        if name not in given
    ]
    read: dict[str, Any] = {}
    for name, value in given.items():
        try:
            read[name] = _cell(name, value)
        except (ValueError, InvalidOperation, RefusedError) as error:
            said = str(error) if isinstance(error, RefusedError) else f"{value[:40]!r} is no such value"
            faults.append(Fault("field-invalid", f"{pointer}/{name}", said))
    if len(faults) > before:
        return None
    return Damage(place=Point(read.pop("east"), read.pop("north")), **read)


def _cell(name: str, value: str) -> object:
    match name:
        case "happened_on":
            return parse_date(value)
        case "east" | "north":
            return float(_plain(value))
        case "repair_cost" | "administration_cost":
            cost = Decimal(_plain(value))
            if cost != cost.quantize(Decimal("0.01")):
                raise ValueError(value)
            return cost
        case "order_number":
            number = int(_plain(value))
            if not 0 <= number < _LARGEST_NUMBER:
                raise ValueError(value)
            return number
    return value


def _plain(value: str) -> str:
    """Python reads more as a number than people write: `1_000`, `inf`, digits of other scripts."""
    if not (value.isascii() and set(value) <= set("0123456789.-")):
        raise ValueError(value)
    return value


def damages_of(given: DamagesBody, coverage: Coverage) -> Sequence[Damage]:
    """Return the damages of a body."""
    return [one.damage(coverage, f"/damages/{place}") for place, one in enumerate(given.damages)]
