"""Whatever a file holds: it is checked, or refused by name, and never more than that.

Changed bytes mostly end at the XML parser. So tags and texts are exchanged whole as well, and trees are changed in
several places at once, which keeps the XML well made and leads deep into the reader and the rules.
"""

import random
import re
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from ingest.check import CheckResult, check_file
from ingest.report.content import FileReport
from ingest.report.to_html import html_report
from ingest.report.to_json import json_report
from ler.errors import RefusedError
from ler.model import VERSIONS, load_model
from tests.answers import COVERAGE, answer
from tests.complete import CompleteAnswer
from tests.counterexamples.build import HOME
from tests.mutations import MUTATIONS

BASES: Final = [answer().encode(), CompleteAnswer(load_model()).text().encode()]
VALID: Final = [
    path.read_bytes() for version in VERSIONS for path in sorted((HOME / version / "valid").glob("*.gml"))
]
PIECES: Final = [b"<", b">", b"&", b"\x00", b"\xff", b'"', b"]]>", b"<![CDATA[", b"<!--", b"<?x?>", b"&#0;", b"&#x41;", b"\xc3",
          b"xsi:nil='true'", b"-99", b"1e999", b"<ler:geometri>", b"</ler:id>", b"\xef\xbb\xbf"]  # fmt: skip
TOKEN: Final = re.compile(rb"<[^>]*>|[^<]+")
VALUE: Final = re.compile(rb'(?<==")[^"<]*(?=")|(?<=>)[^<>]*[^\s<>][^<>]*(?=<)')
"""An attribute's value or a text."""

LEAF: Final = re.compile(rb"<([\w:]+)[^>]*>[^<]*</\1>|<[^>]*/>|<[^>]*>|[^<]+")
"""An element without children is one token, so that exchanging tokens often keeps the XML well made."""

changes = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 60),
        st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)),
    ),
    min_size=1,
    max_size=6,
)
values = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.one_of(
            st.text(
                st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=30
            ),
            st.floats().map(str),
            st.integers().map(str),
            st.dates().map(str),
            st.sampled_from(
                ["", " ", "\n", "-99", "1e999", "NaN", "-INF", "٣", "1_0", "#", "#svar", "true", "2024-02-30"]
            ),
        ),
    ),
    min_size=1,
    max_size=4,
)
moves = st.lists(
    st.tuples(st.sampled_from(["delete", "double", "exchange", "replace"]), st.floats(0, 1), st.floats(0, 1)),
    min_size=1,
    max_size=4,
)

patiently = settings(
    deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def outcome(folder: Path, content: bytes) -> CheckResult | None:
    """Check and tell in every way there is; None for a file that is refused."""
    path = folder / "changed.gml"
    path.write_bytes(content)
    try:
        result = check_file(path, coverage=COVERAGE)
    except RefusedError:
        return None
    assert all(map(str, result.findings.kept))
    report = FileReport(path, result)
    assert json_report([report], "en")["files"]
    assert html_report([report], "da", coverage=COVERAGE)
    return result


@given(base=st.sampled_from(BASES), changed=changes)
@settings(patiently, max_examples=150)
def test_changed_bytes_never_crash_the_check(
    tmp_path: Path, base: bytes, changed: list[tuple[float, int, bytes]]
) -> None:
    content = base
    for where, cut, piece in changed:
        at = int(where * len(content))
        content = content[:at] + piece + content[at + cut :]
    outcome(tmp_path, content)


@given(base=st.sampled_from(VALID), changed=values)
@settings(patiently, max_examples=300)
def test_other_values_never_crash_the_check(
    tmp_path: Path, base: bytes, changed: list[tuple[float, str]]
) -> None:
    content = base
    for where, value in changed:
        spans = [found.span() for found in VALUE.finditer(content, content.index(b"schemaVersion") + 20)]
        start, end = spans[int(where * (len(spans) - 1))]
        content = content[:start] + escape(value).encode() + content[end:]
    outcome(tmp_path, content)


@given(base=st.sampled_from(VALID), moved=moves, token=st.sampled_from([TOKEN, LEAF]))
@settings(patiently, max_examples=300)
def test_exchanged_tags_and_texts_never_crash_the_check(
    tmp_path: Path, base: bytes, moved: list[tuple[str, float, float]], token: re.Pattern[bytes]
) -> None:
    tokens = [found[0] for found in token.finditer(base)]
    for how, first, second in moved:
        one, other = int(first * (len(tokens) - 1)), int(second * (len(tokens) - 1))
        match how:
            case "delete":
                del tokens[one]
            case "double":
                tokens.insert(other, tokens[one])
            case "exchange":
                tokens[one], tokens[other] = tokens[other], tokens[one]
            case _:
                tokens[one] = tokens[other]
    outcome(tmp_path, b"".join(tokens))


@given(base=st.sampled_from(VALID), seed=st.integers(0, 2**32), count=st.integers(1, 12))
@settings(patiently, max_examples=300)
def test_trees_changed_in_many_places_never_crash_the_check(
    tmp_path: Path, base: bytes, seed: int, count: int
) -> None:
    chance = random.Random(seed)
    root = etree.fromstring(base)
    for _ in range(count):
        # A tree may have nothing left of what the mutation changes.
        with suppress(IndexError, ValueError, AssertionError):
            chance.choice(MUTATIONS)(root, chance)
    outcome(tmp_path, etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


@given(content=st.binary(max_size=400))
@settings(patiently, max_examples=100)
def test_any_bytes_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.gml"
    path.write_bytes(content)
    with pytest.raises(RefusedError):
        check_file(path, coverage=COVERAGE)
