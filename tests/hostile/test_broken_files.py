"""Whatever became of the bytes of a file: the gate lets it through or refuses it by name, and never more than that."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.gate.formats import GatedFile
from ingest.gate.gate import gate_file
from ler.errors import RefusedError
from tests.hostile import samples
from tests.hostile.zips import Entry, make_zip

BASES: Final[dict[str, Callable[[], bytes]]] = {
    "a.zip": samples.shapefile,
    "b.zip": lambda: make_zip(
        [Entry(b"a.csv", samples.csv_text("1,a,POINT (1 1)").encode()), Entry(b"b.txt")]
    ),
    "c.zip": lambda: samples.zipped({"a.gpkg": samples.geopackage()}),
    "a.gpkg": samples.geopackage,
    "a.geojson": lambda: samples.geojson(properties={"å": [1, {"b": None}]}).encode(),
    "a.dxf": lambda: samples.dxf(
        samples.dxf_insert("A"), samples.dxf_block("A", samples.dxf_insert("B"))
    ).encode(),
    "a.csv": lambda: samples.csv_text("1,a,POINT (1 1)").encode(),
    "a.parquet": samples.parquet,
    "a.fgb": lambda: samples.written("fgb"),
}
PIECES: Final = [b"\0", b"\xff", b"\xff\xff\xff\xff", b"PK\1\2", b"PK\3\4", b"{", b"}", b"[", b'"', b"\\ud800", b"1e999",
                 b"NaN", b"\n", b"0\nINSERT\n", b",", b"\x7f\xff\xff\xff", b"-1", b"\xc3"]  # fmt: skip

changes = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(st.sampled_from(PIECES), st.binary(max_size=8))),
    min_size=1,
    max_size=5,
)


@cache
def base(name: str) -> bytes:
    return BASES[name]()


def spoiled(name: str, changed: list[tuple[float, int, bytes]]) -> bytes:
    content = base(name)
    for where, cut, piece in changed:
        at = int(where * len(content))
        content = content[:at] + piece + content[at + cut :]
    return content


@pytest.mark.parametrize("name", BASES)
def test_changed_bytes_are_let_through_or_refused(tmp_path: Path, name: str) -> None:
    @given(changes)
    @settings(
        max_examples=120,
        deadline=5000,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
        derandomize=True,
    )
    def gate_it(changed: list[tuple[float, int, bytes]]) -> None:
        path = tmp_path / name
        path.write_bytes(spoiled(name, changed))
        with suppress(RefusedError):
            assert isinstance(gate_file(path), GatedFile)

    gate_it()


@pytest.mark.parametrize("name", BASES)
def test_cut_off_files_are_let_through_or_refused(tmp_path: Path, name: str) -> None:
    content = base(name)
    path = tmp_path / name
    for length in {*range(1, 200), *range(200, len(content), max(1, len(content) // 100))}:
        path.write_bytes(content[:length])
        with suppress(RefusedError):
            assert isinstance(gate_file(path), GatedFile)
