"""Features to rows and back, without loss, and the fast way to store many.

A row is a mapping from column to value: of `staged_feature` when it is written, of that, `network_feature` or
`package_feature` when it is read. Refused are values that
the database would change or reject: geometry without heights (an unknown height is NaN, not absent), numbers that
are not finite, NUL characters, lone surrogates.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
import psycopg
import shapely
from geoalchemy2 import WKBElement
from psycopg import sql
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from ler.db.tables import SRID, staged_feature
from ler.errors import InputError, NotFoundError, UnavailableError
from ler.model import Feature, FeatureType, Value

type Row = dict[str, Any]
"""Column -> value; `geom` is EWKB; `attributes` and `voids` are JSON text."""

COLUMNS: Final[Mapping[str, str]] = {
    "driftsstatus": "operational_status",
    "ejerskabsforhold": "ownership",
    "etableringstidspunkt": "established",
    "fareklasse": "danger_class",
    "id": "ler_id",
    "indtegningsmetode": "drawing_method",
    "noejagtighedsklasse": "horizontal_accuracy",
    "noejagtighedsklasseVertikal": "vertical_accuracy",
    "registreringFra": "registered_from",
    "sikkerhedshensyn": "precautions",
    "vejledendeDybde": "indicative_depth_mm",
    "niveau": "level",
}
"""LER attribute -> column; every other attribute is in the column `attributes` under its LER name."""

_NUMBERS: Final = frozenset({"indicative_depth_mm"})

_LARGEST: Final = 1e16
"""From here on the database writes a float as a whole number, which would come back as an integer."""

_COPIED: Final[Mapping[str, str]] = {
    column.name: {"UUID": "uuid", "Integer": "int4", "Double": "float8", "Geometry": "bytea"}.get(
        type(column.type).__name__, "text"
    )
    for column in staged_feature.columns
}
"""Column -> type in which it is copied; the cast from EWKB to geometry and from text to jsonb is the database's."""

_HAS_SRID: Final = 0x20
_SRID: Final = SRID.to_bytes(4, "little")

_encode: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode
_SUSPECT: Final = "e+"
_SIMPLE_TYPES: Final = (
    shapely.GeometryType.POINT,
    shapely.GeometryType.LINESTRING,
    shapely.GeometryType.POLYGON,
)
type Columns = dict[str, str | float | None]
_NO_COLUMNS: Final[Columns] = dict.fromkeys(COLUMNS.values())
_HASH_BYTES: Final = 16
_SEPARATOR: Final = "\0"
"""Stands between the columns that are hashed."""
_ABSENT: Final = "\1"
"""Stands for a column without a value, which is another thing than an empty text."""

_NAMES: Final = sql.SQL(", ").join(map(sql.Identifier, _COPIED))

_CREATE: Final = sql.SQL("CREATE TEMP TABLE ler_upload ({}) ON COMMIT DROP").format(
    sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.Identifier("pg_catalog", kind))
        for name, kind in _COPIED.items()
    )
)

_COPY: Final = sql.SQL("COPY pg_temp.ler_upload ({}) FROM STDIN (FORMAT binary)").format(_NAMES)

# The count is told by the version too, so that rows which a crash takes away are missed. Changing it locks the versions
# until the upload ends: publishing waits for it.
_COUNT: Final = """
    WITH counted AS MATERIALIZED (
        SELECT u.version_id, count(*)::integer AS features FROM pg_temp.ler_upload AS u GROUP BY u.version_id
    ),
    told AS (
        UPDATE ler.network_version AS v SET feature_count = v.feature_count + c.features
        FROM counted AS c
        WHERE v.id = c.version_id AND v.state = 'staged'
        RETURNING v.id
    )
    SELECT (SELECT count(*) FROM told) = (SELECT count(*) FROM counted)
"""

_INSERT: Final = sql.SQL("INSERT INTO ler.staged_feature ({}) SELECT {} FROM pg_temp.ler_upload").format(
    _NAMES,
    sql.SQL(", ").join(
        sql.SQL("{}::jsonb" if isinstance(column.type, JSONB) else "{}").format(sql.Identifier(column.name))
        if column.name != "geom"
        else sql.SQL("geom::geometry")
        for column in staged_feature.columns
    ),
)


def feature_to_row(
    feature: Feature, feature_type: FeatureType, *, owner_id: UUID, version_id: UUID, seq: int
) -> Row:
    """Return the row of a feature for `staged_feature`; `seq` is its place in the file.

    Raises InputError, naming the feature, for a value that cannot be stored as it is.
    """
    types = {feature.type: feature_type}
    return next(features_to_rows([feature], types, owner_id=owner_id, version_id=version_id, first_seq=seq))


def features_to_rows(
    features: Sequence[Feature],
    types: Mapping[str, FeatureType],
    *,
    owner_id: UUID,
    version_id: UUID,
    first_seq: int,
) -> Iterator[Row]:
    """Yield what `feature_to_row` returns for each; many at once take a third of the time."""
    ewkbs = _geometries_to_ewkb(features)
    for seq, (feature, ewkb) in enumerate(zip(features, ewkbs, strict=True), start=first_seq):
        attributes, columns = _split(feature)
        voids = _to_json(feature.voids, feature) if feature.voids else "{}"
        yield {
            "version_id": version_id,
            "owner_id": owner_id,
            "seq": seq,
            "line": feature.line,
            "content_hash": _hash(feature, columns, attributes, voids, ewkb),
            "feature_type": feature.type,
            "gml_id": feature.gml_id,
            "utility_type": next(iter(feature.utility_types(types[feature.type])), None),
            **columns,
            "attributes": attributes,
            "voids": voids,
            "geom": ewkb,
        }


def content_hash(feature: Feature) -> UUID:
    """Return 128 bits that two features share when type, attributes, voids and geometry are the same.

    The order of attributes does not count, that of values in a list does. gml:id, line and `unread` are no content.
    """
    attributes, columns = _split(feature)
    voids = _to_json(feature.voids, feature)
    return _hash(feature, columns, attributes, voids, _geometries_to_ewkb([feature])[0])


def _split(feature: Feature) -> tuple[str, Columns]:
    """The attributes without column as JSON, and those that have one."""
    gml_id = feature.gml_id
    if "\0" in gml_id or not gml_id.isascii():
        _check(gml_id, gml_id)
    columns, rest = _NO_COLUMNS.copy(), {}
    for name, value in feature.attributes.items():
        column = COLUMNS.get(name)
        if column is None:
            rest[name] = value
        elif type(value) is str and column not in _NUMBERS:
            columns[column] = value
        elif value is not None:
            columns[column] = _column_value(value, column, gml_id)
    return _to_json(rest, feature) if rest else "{}", columns


def _hash(feature: Feature, columns: Columns, attributes: str, voids: str, ewkb: bytes | None) -> UUID:
    values = columns.values()
    absent = 0
    told = [feature.type]
    for value in values:
        if value is None:
            absent += 1
            told.append(_ABSENT)
        else:
            told.append(value if type(value) is str else repr(value))
    text = _SEPARATOR.join(told)
    # JSON is slower, and needed only where a text holds one of our two signs.
    if text.count(_SEPARATOR) != len(columns) or text.count(_ABSENT) != absent:
        text = _to_json([feature.type, *values], feature)
    # JSON holds no NUL, so nothing can be moved from one part to the other.
    try:
        content = f"{text}\0{attributes}\0{voids}\0".encode()
    except UnicodeEncodeError:
        raise InputError(f"{feature.gml_id} has a text with a character that cannot be stored.") from None
    digest = hashlib.blake2b(content + ewkb if ewkb else content, digest_size=_HASH_BYTES)
    return UUID(bytes=digest.digest())


def _to_json(value: object, feature: Feature) -> str:
    """JSON with sorted keys. InputError, naming the feature, for what text or jsonb would change or refuse."""
    try:
        text = _encode(value)
    except ValueError:  # a number that is not finite
        text = _SUSPECT
    # Looked for in the text, all at once: looking at each value takes longer than everything else (measured).
    if "\\u0000" in text or "e+" in text or not (text.isascii() or _encodable(text)):
        _check(value, feature.gml_id)
    return text


def row_to_feature(row: Mapping[str, Any]) -> Feature:
    """Return the feature of a row that was read from `network_feature` or `package_feature`.

    `geom` may be what GeoAlchemy2 gives, or EWKB as bytes or as hexadecimal text; the feature's geometry has SRID
    25832.
    """
    attributes: dict[str, Value] = dict(_parsed(row["attributes"]))
    attributes |= {name: row[column] for name, column in COLUMNS.items() if row[column] is not None}
    return Feature(
        type=row["feature_type"],
        gml_id=row["gml_id"],
        attributes=attributes,
        voids=dict(_parsed(row["voids"])),
        geometry=_geometry(row["geom"]),
    )


def geometry_to_ewkb(geometry: BaseGeometry, place: str) -> bytes:
    """Return EWKB with Z and SRID 25832. InputError, naming `place`, for a geometry that cannot be stored."""
    if geometry.is_empty:
        raise InputError(f"{place} has an empty geometry.")
    if not all(part.has_z for part in getattr(geometry, "geoms", (geometry,))):
        raise InputError(f"{place} has a geometry without heights; where a height is unknown it must be NaN.")
    if geometry.has_m:
        raise InputError(f"{place} has a geometry with measures (M), which cannot be stored.")
    coordinates = shapely.get_coordinates(geometry, include_z=True)
    if np.isinf(coordinates).any() or np.isnan(coordinates[:, :2]).any():
        raise InputError(f"{place} has a coordinate that is not finite.")
    return _with_srid(shapely.to_wkb(geometry, byte_order=1, flavor="extended"))


def _geometries_to_ewkb(features: Sequence[Feature]) -> list[bytes | None]:
    """EWKB of each feature's geometry. What is simple and sound is judged and written all at once."""
    found: list[bytes | None] = [None] * len(features)
    placed = [number for number, feature in enumerate(features) if feature.geometry is not None]
    geometries = np.array([features[number].geometry for number in placed], dtype=object)
    simple = np.isin(shapely.get_type_id(geometries), _SIMPLE_TYPES)
    coordinates = shapely.get_coordinates(geometries, include_z=True)
    sound = simple & shapely.has_z(geometries) & ~shapely.has_m(geometries) & ~shapely.is_empty(geometries)
    if not sound.all() or np.isinf(coordinates).any() or np.isnan(coordinates[:, :2]).any():
        for number, geometry in zip(placed, geometries, strict=True):
            found[number] = geometry_to_ewkb(geometry, features[number].gml_id)
        return found
    for number, wkb in zip(placed, shapely.to_wkb(geometries, byte_order=1, flavor="extended"), strict=True):
        found[number] = _with_srid(wkb)
    return found


def _with_srid(wkb: bytes) -> bytes:
    # Byte order, then the type with flags in its last byte. Setting the SRID first would copy the geometry.
    return wkb[:4] + bytes((wkb[4] | _HAS_SRID,)) + _SRID + wkb[5:]


def copy_features(
    connection: Connection, rows: Iterable[Row], before_storing: Callable[[], None] = lambda: None
) -> int:
    """Store rows of `feature_to_row` in their staged versions, in constant memory; return how many.

    The connection's principal must be the owner. PostgreSQL refuses COPY into a table with row-level security, so the
    rows go to a temporary table and are inserted from there, after `before_storing`, which may raise. Raises NotFoundError when a version is not the principal's or not staged, InputError when two features
    have one gml:id or a geometry is invalid; the transaction must then be rolled back.
    """
    driver = connection.connection.driver_connection
    if driver is None:
        raise UnavailableError("The connection to the database was lost.")
    with driver.cursor() as cursor:
        cursor.execute(_CREATE)
        with cursor.copy(_COPY) as copy:
            copy.set_types(list(_COPIED.values()))
            for row in rows:
                copy.write_row([row[name] for name in _COPIED])
        before_storing()
        cursor.execute(_COUNT)
        if cursor.fetchone() != (True,):
            raise NotFoundError("There is no such staged version.")
        try:
            cursor.execute(_INSERT)
        except psycopg.errors.UniqueViolation as error:
            raise InputError("Two features have the same gml:id.") from error
        except psycopg.errors.CheckViolation as error:
            raise InputError("A feature has an invalid geometry or an empty gml:id.") from error
        stored: int = cursor.rowcount
        cursor.execute("DROP TABLE pg_temp.ler_upload")
    return stored


def _column_value(value: Value, column: str, place: str) -> str | float:
    if column in _NUMBERS:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            number = float(value)
            _check(number, place)
            return number
    elif isinstance(value, str):
        return value
    raise InputError(f"{place} has a value of the wrong kind for {column}.")


def _check(value: object, place: str) -> None:
    """Refuse what jsonb or text would change or reject."""
    if isinstance(value, str):
        if "\0" in value or not (value.isascii() or _encodable(value)):
            raise InputError(f"{place} has a text with a character that cannot be stored.")
    elif isinstance(value, float):
        if not math.isfinite(value) or abs(value) >= _LARGEST:
            raise InputError(f"{place} has a number that is not finite or too large.")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check(key, place)
            _check(item, place)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, place)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parsed(value: str | Mapping[str, Any]) -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = json.loads(value) if isinstance(value, str) else value
    return parsed


def _geometry(value: WKBElement | str | bytes | memoryview | None) -> BaseGeometry | None:
    if value is None:
        return None
    data = value.data if isinstance(value, WKBElement) else value
    geometry: BaseGeometry = shapely.from_wkb(data if isinstance(data, str) else bytes(data))
    return geometry
