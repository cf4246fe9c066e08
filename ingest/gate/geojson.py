"""GeoJSON by the letter, feature by feature: what parsers read in different ways, or lose, is refused.

NaN and Infinity are no JSON; numbers beyond a double, half characters and zero bytes cannot be stored; a fourth number
of a position has no meaning. The memory taken is that of the largest feature let through.
"""

import codecs
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from pyproj.crs import CRS
from pyproj.exceptions import CRSError

from ingest.gate.limits import MIB, GateLimits
from ler.errors import RefusedError

_CHUNK: Final = 1 << 18
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_ZERO: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_INFINITE: Final = float("inf")
"""What a number beyond a double is read as."""
_LARGEST: Final = sys.float_info.max
_MOST_MEMBERS: Final = 100
"""Members of the collection beside its features."""


def check_geojson(path: Path, limits: GateLimits) -> None:
    """Refuse `json-*`, `text-invalid`, `geometry-dimension`, `geometry-limit`, `coordinate-not-finite`, `crs-unsupported`."""
    with path.open("rb") as stream:
        _Collection(stream, limits).check()


class _Text:
    """Decoded text, as much of it at a time as one value takes."""

    def __init__(self, stream: IO[bytes], limits: GateLimits) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._limits = limits
        self._json = json.JSONDecoder(parse_constant=_refuse_constant)
        self._passed = 0
        """Lines before the text that is held."""
        self._ended = False
        self.held = ""
        self.at = 0

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            found = _SPACE.match(self.held, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.held):
                return self.held[self.at]
            if not self._more(_CHUNK):
                return ""

    def expect(self, wanted: str) -> str:
        """Step over one of the wanted characters."""
        found = self.peek()
        if not found or found not in wanted:
            self.refuse(f"{wanted!r} is wanted")
        self.at += 1
        return found

    def value(self) -> tuple[Any, str]:
        """The next value, and its text."""
        closing = {"{": "}", "[": "]"}.get(self.peek(), "")
        self._forget()
        fresh = self.at
        while True:
            # Without what closes it in the text that came last, it cannot have come to its end.
            if (self.held.find(closing, fresh) >= 0 or self._ended) and (
                found := self._decoded()
            ) is not None:
                return found
            if len(self.held) - self.at > self._limits.max_feature_bytes:
                code = (
                    "geometry-limit"
                    if '"coordinates"' in self.held[self.at : self.at + _CHUNK]
                    else "json-limit"
                )
                most = f"{self._limits.max_feature_bytes // MIB} MiB: split it"
                raise RefusedError(
                    code, f"line {self.line}: a feature or another value is larger than {most}"
                )
            fresh = len(self.held)
            self._more(max(_CHUNK, len(self.held) - self.at))

    def _decoded(self) -> tuple[Any, str] | None:
        """The value that begins here, or None where more text may be wanted."""
        try:
            found, end = self._json.raw_decode(self.held, self.at)
        except json.JSONDecodeError as error:
            if self._ended:
                self.at = error.pos
                self.refuse(error.msg)
            return None
        except RecursionError:
            raise RefusedError("json-limit", f"line {self.line}: values lie too deep in each other") from None
        if end == len(self.held) and not self._ended:  # a number may go on
            return None
        text = self.held[self.at : end]
        self.at = end
        return found, text

    @property
    def line(self) -> int:
        """Of the text, from 1."""
        return 1 + self._passed + self.held.count("\n", 0, self.at)

    def refuse(self, why: str) -> NoReturn:
        """Say that this is no JSON here."""
        raise RefusedError("json-invalid", f"line {self.line}: this is no GeoJSON: {why}")

    def _forget(self) -> None:
        if self.at > _CHUNK:
            self._passed += self.held.count("\n", 0, self.at)
            self.held, self.at = self.held[self.at :], 0

    def _more(self, size: int) -> bool:
        if self._ended:
            return False
        chunk = self._stream.read(size)
        self._ended = not chunk
        try:
            self.held += self._decoder.decode(chunk, final=self._ended)
        except UnicodeDecodeError:
            raise RefusedError("encoding-invalid", f"after line {self.line}: the file is not UTF-8") from None
        return True


class _Collection:
    """The one object of the file."""

    def __init__(self, stream: IO[bytes], limits: GateLimits) -> None:
        self._text = _Text(stream, limits)
        self._limits = limits

    def check(self) -> None:
        """Read all of it."""
        kind = None
        has_features = False
        for key in self._keys():
            if key == "features":
                has_features = True
                self._check_features()
                continue
            value, text = self._text.value()
            self._check_text(value, text)
            if key == "type":
                kind = value
            elif key == "crs":
                _check_crs(value)
        if kind != "FeatureCollection" or not has_features:
            self._text.refuse("a FeatureCollection is wanted")
        if self._text.peek():
            self._text.refuse("something follows the collection")

    def _keys(self) -> Iterator[str]:
        self._text.expect("{")
        seen: set[str] = set()
        while True:
            key, _ = self._text.value()
            if not isinstance(key, str) or key in seen or len(seen) > _MOST_MEMBERS:
                self._text.refuse("a member needs a name, each its own")
            seen.add(key)
            self._text.expect(":")
            yield key
            if self._text.expect(",}") == "}":
                return

    def _check_features(self) -> None:
        self._text.expect("[")
        if self._text.peek() == "]":
            self._text.expect("]")
            return
        while True:
            feature, text = self._text.value()
            if not isinstance(feature, dict) or feature.get("type") != "Feature":
                self._text.refuse("a Feature is wanted")
            self._check_text(feature, text)
            properties = feature.get("properties")
            if properties is not None and not isinstance(properties, dict):
                self._text.refuse("the properties of a feature must be an object")
            for value in (properties or {}).values():
                if not (value is None or isinstance(value, str)):
                    self._check_value(value, 0)
            self._check_geometry(feature.get("geometry"), 0)
            if self._text.expect(",]") == "]":
                return

    def _check_text(self, value: object, text: str) -> None:
        if "\\u" not in text:
            return
        try:
            json.dumps(value, ensure_ascii=False).encode()
            whole = _ZERO.search(text) is None
        except UnicodeEncodeError:
            whole = False
        except RecursionError:
            self._too_deep()
        if not whole:
            raise RefusedError(
                "text-invalid",
                f"line {self._text.line}: a text holds half a character or a zero byte: correct it",
            )

    def _check_value(self, value: object, depth: int) -> None:
        if depth > self._limits.max_json_depth:
            self._too_deep()
        if isinstance(value, int | float) and _infinite(value):
            self._text.refuse("a number is too large")
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                self._check_value(inner, depth + 1)

    def _check_geometry(self, geometry: object, depth: int) -> None:
        if depth > self._limits.max_json_depth:
            raise RefusedError(
                "geometry-limit", f"line {self._text.line}: collections lie too deep in each other"
            )
        if geometry is None:
            return
        if not isinstance(geometry, dict):
            self._text.refuse("a geometry must be an object")
        if isinstance(geometry.get("geometries"), list):
            for part in geometry["geometries"]:
                self._check_geometry(part, depth + 1)
        self._check_positions(geometry.get("coordinates"), 0)

    def _check_positions(self, coordinates: object, depth: int) -> None:
        """Lists of lists down to positions of two or three numbers."""
        if depth > self._limits.max_json_depth:
            self._too_deep()
        if not isinstance(coordinates, list) or not coordinates:
            return
        if isinstance(coordinates[0], list):
            if coordinates[0] and not isinstance(coordinates[0][0], list):
                self._check_widths(coordinates)
                return
            for inner in coordinates:
                self._check_positions(inner, depth + 1)
        else:
            self._check_widths([coordinates])

    def _check_widths(self, positions: list[Any]) -> None:
        if any(
            _INFINITE in position or -_INFINITE in position
            for position in positions
            if isinstance(position, list)
        ):
            raise RefusedError("coordinate-not-finite", f"line {self._text.line}: a coordinate is not finite")
        if not {len(position) if isinstance(position, list) else 0 for position in positions} <= {2, 3}:
            raise RefusedError(
                "geometry-dimension",
                f"line {self._text.line}: a position has two or three numbers in GeoJSON",
            )

    def _too_deep(self) -> NoReturn:
        raise RefusedError("json-limit", f"line {self._text.line}: values lie too deep in each other")


def _infinite(number: float) -> bool:
    return not -_LARGEST <= number <= _LARGEST


def _check_crs(member: object) -> None:
    """The member of old GeoJSON that names a system; GDAL passes over what it does not know."""
    if member is None:
        return
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    try:
        CRS.from_user_input(name)
    except (CRSError, TypeError):
        raise RefusedError(
            "crs-unsupported",
            f"the coordinate system {str(name)[:80]!r} is not known: name it like EPSG:25832",
        ) from None


def _refuse_constant(constant: str) -> NoReturn:
    raise RefusedError("json-invalid", f"{constant} is no JSON number")
