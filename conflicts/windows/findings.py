"""What could not be planned as given: named, in Danish and English; the rest is planned all the same."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from uuid import UUID

from ler.domain.works import PlannedWork


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that stands in the way of a work, or of an order that was wished for."""

    code: str
    """A key of `findings.toml`."""
    work_ids: tuple[UUID, ...]
    da: str
    en: str


@cache
def _texts() -> Mapping[str, tuple[str, str]]:
    read = tomllib.loads(files(__package__).joinpath("findings.toml").read_text(encoding="utf-8"))
    return {code: (da, en) for code, (da, en) in read.items()}


def finding(code: str, *works: PlannedWork, **values: object) -> Finding:
    """Return a finding about works; `{0}`, `{1}` in its text are their titles."""
    titles = [work.title for work in works]
    da, en = (text.format(*titles, **values) for text in _texts()[code])
    return Finding(code, tuple(work.id for work in works), da, en)
