"""Whatever bytes a file has: it is checked, or refused by name, and never more than that."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.check import check_file
from ler.errors import RefusedError
from ler.model import load_model
from tests.answers import COVERAGE, answer
from tests.complete import CompleteAnswer

BASES = [answer().encode(), CompleteAnswer(load_model()).text().encode()]
PIECES = [b"<", b">", b"&", b"\x00", b"\xff", b'"', b"]]>", b"<![CDATA[", b"<!--", b"<?x?>", b"&#0;", b"&#x41;", b"\xc3",
          b"xsi:nil='true'", b"-99", b"1e999", b"<ler:geometri>", b"</ler:id>", b"\xef\xbb\xbf"]  # fmt: skip

changes = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 60),
        st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)),
    ),
    min_size=1,
    max_size=6,
)


@given(base=st.sampled_from(BASES), changed=changes)
@settings(
    max_examples=150,
    deadline=5000,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_changed_bytes_never_crash_the_check(
    tmp_path: Path, base: bytes, changed: list[tuple[float, int, bytes]]
) -> None:
    content = base
    for where, cut, piece in changed:
        at = int(where * len(content))
        content = content[:at] + piece + content[at + cut :]
    path = tmp_path / "changed.gml"
    path.write_bytes(content)
    with suppress(RefusedError):
        assert all(map(str, check_file(path, coverage=COVERAGE).findings.kept))


@given(content=st.binary(max_size=400))
@settings(
    max_examples=100,
    deadline=5000,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_any_bytes_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.gml"
    path.write_bytes(content)
    with pytest.raises(RefusedError):
        check_file(path, coverage=COVERAGE)
