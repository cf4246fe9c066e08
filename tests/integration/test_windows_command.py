"""`ler windows`, from a plan over an invitation to an agreement in a calendar; and the report that it writes."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from icalendar import Calendar
from lxml import etree
from shapely import LineString
from typer.testing import CliRunner, Result

from conflicts.windows.plan import Brief, plan_windows
from conflicts.windows.proposals import proposals_of
from geoapi.cli import app
from geoapi.windows_desk import Planned, total_of
from geoapi.windows_drawing import LABELS
from geoapi.windows_report import windows_report, write_windows_pdf
from geoapi.works_desk import WorksDesk
from ler.domain.works import WorkRules
from ler.packages.letter_flow import WIDTH
from ler.settings import Settings
from tests.integration.test_db_world import World, square, world
from tests.window_city import CALENDAR, TODAY, city_works

__all__ = ["world"]

EAST, NORTH = 572_000.0, 6_225_000.0
LINE = LineString([(EAST, NORTH), (EAST + 100, NORTH)])


def ler(world: World, *words: str) -> Result:
    done = CliRunner().invoke(app, [*words], env={"LER_DATABASE_URL": world.database.url(), "COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done


def test_two_works_are_proposed_invited_answered_and_put_into_a_calendar(
    world: World, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    owners = [world.owner(name, square(0, 0, 1, 1)) for name in ("Water", "Power")]
    desk = WorksDesk(Settings(), today)
    for number, owner in enumerate(owners):
        values = {
            "title": f"<Work> {number}",
            "activity": ("vand", "el")[number],
            "method": "open-trench",
            "duration_days": 5,
            "earliest_start": (today + timedelta(days=60)).isoformat(),
            "latest_end": (today + timedelta(days=200)).isoformat(),
            "planned_start": (today + timedelta(days=80 + 20 * number)).isoformat(),
            "road": "lane",
            "willing_to_share": True,
        }
        with world.acting(owner) as connection:
            desk.create(connection, owner, values, LINE)
    with world.acting(owners[0]) as connection:
        far = desk.create(
            connection, owners[0], values, LineString([(EAST, NORTH + 999), (EAST, NORTH + 900)])
        )
    planned_far_away = far.work.work.id
    report, printed = tmp_path / "report.html", tmp_path / "report.pdf"
    proposed = ler(
        world,
        "windows",
        "propose",
        "--keep",
        "--json",
        "--language",
        "en",
        "--report",
        str(report),
        "--pdf",
        str(printed),
    )
    document = json.loads(proposed.stdout)
    (window,) = document["kept"]
    (told,) = document["windows"]
    assert [work["title"] for work in told["works"]] == ["<Work> 0", "<Work> 1"], "the deeper goes first"
    assert sum(bool(work["moved_days"]) for work in told["works"]) == 1
    assert document["total"]["openings_saved"] == 1
    assert printed.read_bytes().startswith(b"%PDF")
    assert "&lt;Work&gt; 0" in report.read_text(encoding="utf-8")
    again = json.loads(ler(world, "windows", "propose", "--work", told["works"][0]["id"], "--json").stdout)
    assert (again["windows"], again["total"]["works"]) == (document["windows"], 2)
    ler(world, "windows", "propose", "--work", str(planned_far_away), "--keep")
    assert json.loads(ler(world, "windows", "show", window).stdout)["state"] == "proposed"
    assert "2 arbejder" in ler(world, "windows", "propose", "--language", "da").stdout.replace("\n", " ")
    invited = ler(world, "windows", "invite", window, "--until", (today + timedelta(days=14)).isoformat())
    assert f"until {today + timedelta(days=15)} 00:00" in invited.stderr.replace("\n", " ")
    for owner in owners:
        ler(world, "windows", "answer", window, "--by", str(owner), "--accept")
    page, print_ = tmp_path / "kept.html", tmp_path / "kept.pdf"
    words = ("--report", str(page), "--pdf", str(print_), "--language", "en")
    shown = json.loads(ler(world, "windows", "show", window, *words).stdout)
    read = subprocess.run(
        ["pdftotext", "-raw", print_, "-"], check=True, capture_output=True, text=True
    ).stdout
    for told in (page.read_text(encoding="utf-8"), read):
        assert "Agreed." in told
        for work in shown["works"]:
            assert f"{work['start_on']} – {work['end_on']}" in told
    assert "&lt;Work&gt; 0" in page.read_text(encoding="utf-8")
    ler(world, "windows", "show", "--organisation", str(owners[0]), "--pdf", str(print_))
    assert (shown["state"], shown["geometry"]["type"]) == ("agreed", "Polygon")
    (listed,) = json.loads(ler(world, "windows", "show", "--organisation", str(owners[0]), "--json").stdout)
    assert listed["id"] == window
    calendar = Calendar.from_ical(ler(world, "windows", "ics", str(owners[1]), "--language", "da").stdout)
    (event,) = calendar.walk("VEVENT")
    mine = shown["works"][1]
    assert (event["summary"], event["status"]) == ("<Work> 1", "CONFIRMED")
    assert event.decoded("dtstart") == date.fromisoformat(mine["start_on"])
    assert event.decoded("dtend") == date.fromisoformat(mine["end_on"]) + timedelta(days=1)


def test_a_report_holds_all_figures_and_draws_every_work_of_a_window(tmp_path: Path) -> None:
    works = [replace(work, organisation_id=UUID(int=1)) for work in city_works(3, 80, 4)]
    brief = Brief(works, TODAY, WorkRules(CALENDAR, Settings().coverage))
    plan = plan_windows(brief)
    planned = Planned(brief, plan, proposals_of(plan, {work.id: work for work in works}, brief.rules))
    assert len(planned.proposals) > 3
    for proposal in planned.proposals:
        first_days = [member.placement.start for member in proposal.members]
        assert first_days == sorted(first_days) or proposal.members[-1].work.activity == "road"
    html = windows_report(planned, "da")
    assert html == windows_report(planned, "da")
    svg = "{http://www.w3.org/2000/svg}"
    drawings = [
        etree.fromstring(f'<svg xmlns="{svg[1:-1]}" {part.split("</svg>")[0]}</svg>')
        for part in html.split("<svg ")[1:]
    ]
    maps, timelines = drawings[::2], drawings[1::2]
    counts = sorted(len(one.members) for one in planned.proposals)
    works_of = [
        [path for path in one.findall(f"{svg}path") if path.get("fill") in {"#1f6f8b", "#c4631b"}]
        for one in (*maps, *timelines)
    ]
    assert sorted(map(len, works_of[: len(maps)])) == counts
    assert sorted(map(len, works_of[len(maps) :])) == counts
    for bar in (bar for bars in works_of[len(maps) :] for bar in bars):
        ends = [float(point.split(",")[0]) for point in bar.get("d", "")[1:-1].split()]
        assert LABELS <= min(ends) <= max(ends) <= WIDTH + 0.01
    files = [tmp_path / "one.pdf", tmp_path / "two.pdf"]
    for file in files:
        write_windows_pdf(file, planned, "da")
    assert files[0].read_bytes() == files[1].read_bytes()
    printed = subprocess.run(
        ["pdftotext", "-raw", files[0], "-"], check=True, capture_output=True, text=True
    ).stdout
    for proposal in planned.proposals:
        for member in proposal.members:
            assert f"{member.work.title} {member.placement.start} – {member.placement.end}" in printed
    total = total_of(planned)
    value = sum(part.value for part in plan.components if part.joins)
    assert total["saved_dkk"] >= value
    assert f"{total['openings_saved']}</dd>" in html
