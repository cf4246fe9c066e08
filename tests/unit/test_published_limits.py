"""The limits that the documentation publishes are those that are applied."""

import re
from dataclasses import asdict
from pathlib import Path

from ingest.child.limits import ChildLimits
from ingest.gate.limits import GateLimits
from ler.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"


def test_the_documentation_states_every_limit() -> None:
    stated = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    applied = asdict(GateLimits()) | asdict(ChildLimits())
    assert {name: float(figure.replace(",", "")) for name, figure in stated} == applied


def test_the_largest_file_is_the_operators() -> None:
    assert GateLimits.of(Settings(max_upload_mb=7)) == GateLimits(max_file_bytes=7 << 20)
