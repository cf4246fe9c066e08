"""The life of requests over a real year: three owners for whom the platform answers and three that answer themselves, of
whom one is silent, one late, and one corrects its answer.

The database, the service and the worker live by a clock that the test moves (tests/moved_clock.py), from spring to autumn:
these tests go on from each other. Due times were worked out by hand, as the comments say: the two hours run from 07 to 16
on working days, and what comes outside is due at 09.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.life_cycle import CENTRAL, CORRECTING, LATE, NAMES, SILENT, Scene, open_scene
from tests.packages import opened
from tests.service import eventually

SPRING = [
    # Tuesday 24 March 10:00: two hours on.
    ("2026-03-24T10:00:00+01:00", "2026-03-24T12:00:00+01:00"),
    # 15:20: 40 minutes until 16:00; 80 are left, from 07:00 on Wednesday.
    ("2026-03-24T15:20:00+01:00", "2026-03-25T08:20:00+01:00"),
    # In the night: at 09 of the next working day.
    ("2026-03-24T22:00:00+01:00", "2026-03-25T09:00:00+01:00"),
    # Friday 15:30: 30 minutes until 16:00; 90 are left, from 07:00 on Monday, by summer time since Sunday 29 March: 06:30 UTC.
    ("2026-03-27T15:30:00+01:00", "2026-03-30T08:30:00+02:00"),
    # Sunday 29 March, half a minute before 02:00 becomes 03:00: at 09 on Monday, 07:00 UTC.
    ("2026-03-29T01:59:30+01:00", "2026-03-30T09:00:00+02:00"),
]
AUTUMN = [
    # Friday 23 October 15:30: 30 minutes; 90 from 07:00 on Monday, by winter time since Sunday 25 October: 07:30 UTC.
    ("2026-10-23T15:30:00+02:00", "2026-10-26T08:30:00+01:00"),
    # Sunday 25 October 02:30, which comes twice; the second time: at 09 on Monday, 08:00 UTC.
    ("2026-10-25T02:30:00+01:00", "2026-10-26T09:00:00+01:00"),
]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with open_scene(tmp_path_factory.mktemp("life"), datetime(2026, 3, 24, 7, 0, tzinfo=UTC)) as made:
        yield made


def due_of(receipt: dict[str, Any]) -> dict[str, datetime]:
    """Until when each owner must answer that has not answered yet."""
    return {
        one["cvr"]: datetime.fromisoformat(area["due_at"])
        for one in receipt["owners"]
        for area in one["areas"]
        if one["missing"]
    }


@pytest.mark.parametrize(("sent", "due"), SPRING)
def test_answers_are_due_and_late_as_worked_out_by_hand_in_spring(scene: Scene, sent: str, due: str) -> None:
    asks_and_waits(scene, sent, due)


def asks_and_waits(scene: Scene, sent: str, due: str) -> None:
    receipt = scene.ask(sent)
    # It takes a moment until a request is entered, and by that the two hours move; not so 09 o'clock.
    moved = datetime.fromisoformat(receipt["received_at"]) - datetime.fromisoformat(sent)
    assert timedelta(0) <= moved < timedelta(seconds=20)
    wanted = datetime.fromisoformat(due) + (timedelta(0) if "T09:00:00" in due else moved)
    assert due_of(receipt) == dict.fromkeys((CORRECTING, LATE, SILENT), wanted)
    # As people read it: by the legal time of that day.
    assert receipt["answers_due_at"] == wanted.isoformat(timespec="milliseconds")
    # The time runs out by itself: nobody is late before, and all soon after.
    scene.clock.move_to(wanted - timedelta(seconds=1))
    eventually(lambda: scene.progress(receipt)["late"] == 3)
    marked = scene.events(receipt, "ler:owner_request:late")
    assert len(marked) == 3
    assert all(wanted < at < wanted + timedelta(seconds=20) for at, _ in marked), marked
    cancelled = scene.client.http.post(receipt["links"]["cancel"])
    assert cancelled.json()["state"] == "cancelled", cancelled.text


PACKAGES_OF_EASTER = "2026-04-01T15:00:00+02:00"
"""Wednesday before Maundy Thursday, an hour before 16:00. Thursday 2, Friday 3 and Monday 6 April are holidays: the other
hour runs on Tuesday 7 April, from 07 to 08."""


@dataclass
class Easter:
    """The request of Easter, and when its answers are due."""

    scene: Scene
    receipt: dict[str, Any]
    moved: timedelta

    def at(self, text: str, seconds: float = 0.0) -> None:
        """Move to a time of day worked out by hand, and so many seconds more."""
        self.scene.clock.move_to(datetime.fromisoformat(text) + self.moved + timedelta(seconds=seconds))

    def package(self, revision: int) -> dict[str, Any]:
        found = self.scene.asked(self.receipt).packed(revision)
        assert found["revision"] == revision, found
        return found

    def missing(self, package: dict[str, Any]) -> tuple[bool, set[str]]:
        """Whether it says that all have answered, and whom it names as missing, after the words that must be there."""
        first = package["notices"][0]
        if first["code"] == "all-answered":
            return package["complete"], set()
        count = len(first["owners"])
        assert first["code"] == "answers-missing"
        assert first["da"].startswith(f"GRAV IKKE: {count} af 6 ledningsejere mangler at svare")
        assert first["en"].startswith(f"DO NOT DIG: {count} owner")
        readme = opened(self.scene.asked(self.receipt).download(package).content)["Laes_mig.txt"].decode()
        assert first["en"] in readme
        assert first["da"] in readme
        return package["complete"], {name for name in NAMES.values() if any(name in one["en"] for one in first["owners"])}


@pytest.fixture(scope="module")
def easter(scene: Scene) -> Easter:
    receipt = scene.ask(PACKAGES_OF_EASTER)
    sent = datetime.fromisoformat(PACKAGES_OF_EASTER)
    return Easter(scene, receipt, datetime.fromisoformat(receipt["received_at"]) - sent)


def test_answers_over_easter_are_due_on_tuesday(easter: Easter) -> None:
    wanted = datetime.fromisoformat("2026-04-07T08:00:00+02:00") + easter.moved
    assert due_of(easter.receipt) == dict.fromkeys((CORRECTING, LATE, SILENT), wanted)
    assert len(easter.receipt["owners"]) == 6


def test_the_first_package_has_the_central_owners_lines_and_names_the_others(easter: Easter) -> None:
    package = easter.package(1)
    assert easter.missing(package) == (False, {NAMES[cvr] for cvr in (CORRECTING, LATE, SILENT)})
    assert package["feature_count"] == 3
    eventually(lambda: {easter.scene.mails(f"{cvr}@example.dk", "svar senest") for cvr in (LATE, SILENT)} >= {1})
