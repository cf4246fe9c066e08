"""The report of a plan of windows as one HTML file without a script: figures, and of each window a map and a timeline.

It loads nothing and runs nothing: its policy admits its own style alone. The windows that save most are drawn; the figures
are of all.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final, Literal

import shapely
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from conflicts.windows.proposals import Member, Proposal
from geoapi.pages.shared import words_of
from geoapi.windows_desk import Planned

type Language = Literal["da", "en"]

MOST_DRAWN: Final = 100
"""Windows that are drawn; a browser is slow with more."""

_WIDTH: Final = 640.0
_MAP_HEIGHT: Final = 240.0
_ROW: Final = 22.0
_LABELS: Final = 200.0
"""Width of the names beside a timeline."""
_MARGIN_M: Final = 8.0
_WEEKS: Final = 12
"""Lines of a timeline, at most."""


@dataclass(frozen=True)
class Bar:
    """A work in a timeline: where it is done, and where it stands when it is not moved. SVG units."""

    title: str
    y: float
    x: float
    width: float
    stands_x: float
    moved_days: int
    pilot: bool


@dataclass(frozen=True)
class Timeline:
    """Members of a window below each other, days from left to right."""

    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, date], ...]


def windows_report(planned: Planned, language: Language, *, most: int = MOST_DRAWN) -> str:
    """Return the report in a language, with the `most` windows that save most drawn."""
    style = _style()
    best = sorted(planned.proposals, key=lambda one: (-one.benefit.dkk, one.start, one.pilot.id))[:most]
    return _template().render(
        language=language,
        words=words_of("windows")[language],
        style=Markup(style),  # noqa: S704 - our own file
        style_digest=b64encode(sha256(style.encode()).digest()).decode(),
        total=total_of(planned),
        sources=sorted(planned.brief.prices.sources.items()),
        findings=[found.da if language == "da" else found.en for found in planned.plan.findings],
        windows=[_drawn(one, language) for one in best],
        width=_WIDTH,
        row=_ROW,
        number=_danish if language == "da" else _english,
    )


def total_of(planned: Planned) -> dict[str, Any]:
    """Return the figures of a plan: what all its windows save at least, and how far from the best it may be."""
    benefits = [one.benefit for one in planned.proposals]
    together = [part for part in planned.plan.components if len(part.work_ids) > 1]
    bound = sum(part.bound for part in together)
    return {
        "works": sum(len(part.work_ids) for part in planned.plan.components),
        "windows": len(planned.proposals),
        "works_in_windows": sum(len(one.members) for one in planned.proposals),
        "moved": sum(len(one.movers) for one in planned.proposals),
        "days_saved": round(sum(one.days for one in benefits), 1),
        "surface_saved_m2": round(sum(one.m2 for one in benefits), 1),
        "openings_saved": sum(one.openings for one in benefits),
        "saved_dkk": sum(one.dkk for one in benefits),
        "mean_gap": sum(part.gap for part in together) / max(1, len(together)),
        "gap": (bound - sum(part.value for part in together)) / max(1, abs(bound)),
    }


def _english(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _danish(value: float) -> str:
    return _english(value).translate(str.maketrans(",.", ".,"))


def _drawn(proposal: Proposal, language: Language) -> dict[str, Any]:
    return {
        "pilot": proposal.pilot.title,
        "start": proposal.start,
        "end": proposal.end,
        "gap": proposal.gap,
        "reason": proposal.reason_da if language == "da" else proposal.reason_en,
        "members": proposal.members,
        "map": _map(proposal),
        "timeline": _timeline(proposal.members, proposal.pilot.id),
    }


def _map(proposal: Proposal) -> dict[str, Any]:
    """Each member's footprint as a path, north up, the largest below; as high as they need."""
    west, south, east, north = proposal.geometry.buffer(_MARGIN_M).bounds
    scale = min(_WIDTH / (east - west), _MAP_HEIGHT / (north - south))
    west -= (_WIDTH / scale - (east - west)) / 2
    turns = sorted(
        enumerate(proposal.members, 1), key=lambda turn: (-turn[1].work.footprint.area, turn[1].work.id)
    )
    paths = [
        {
            "turn": turn,
            "pilot": member.work.id == proposal.pilot.id,
            "path": " ".join(_rings(member.work.footprint, west, north, scale)),
        }
        for turn, member in turns
    ]
    return {"height": round((north - south) * scale, 1), "paths": paths}


def _rings(footprint: BaseGeometry, west: float, north: float, scale: float) -> Iterator[str]:
    for part in shapely.get_parts(footprint):
        for ring in shapely.get_rings(part):
            points = (
                f"{(x - west) * scale:.1f},{(north - y) * scale:.1f}"
                for x, y in shapely.get_coordinates(ring).tolist()
            )
            yield f"M{' '.join(points)}Z"


def _timeline(members: Sequence[Member], pilot: object) -> Timeline:
    """A work that stands elsewhere is shown there as long as it is here, give or take a weekend."""
    first = min(min(member.placement.start, member.placement.stands) for member in members)
    last = max(
        max(one.end, one.stands + (one.end - one.start)) for one in (member.placement for member in members)
    )
    first -= timedelta(days=first.weekday())
    scale = (_WIDTH - _LABELS) / ((last - first).days + 1)

    def place(day: date) -> float:
        return _LABELS + (day - first).days * scale

    bars = tuple(
        Bar(
            title=member.work.title,
            y=row * _ROW,
            x=place(member.placement.start),
            width=((member.placement.end - member.placement.start).days + 1) * scale,
            stands_x=place(member.placement.stands),
            moved_days=member.placement.moved_days,
            pilot=member.work.id == pilot,
        )
        for row, member in enumerate(members)
    )
    weeks = (last - first).days // 7 + 1
    step = -(-weeks // _WEEKS)
    mondays = (first + timedelta(weeks=week) for week in range(0, weeks, step))
    return Timeline((len(members) + 1) * _ROW, bars, tuple((place(day), day) for day in mondays))


@cache
def _style() -> str:
    return files("geoapi.pages").joinpath("windows.css").read_text(encoding="utf-8").replace("\n", "")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("geoapi", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("windows.html.j2")
