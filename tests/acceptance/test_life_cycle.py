"""The life of requests over a real year: three owners for whom the platform answers and three that answer themselves, of
whom one is silent, one late, and one corrects its answer.

The database, the service and the worker live by a clock that the test moves (tests/moved_clock.py), from spring to autumn:
these tests go on from each other. The year is 2037, which has the days of 2026: 1 January on a Thursday, Easter on 5 April. Due times were worked out by hand, as the comments say: the two hours run from 07 to 16
on working days, and what comes outside is due at 09.
"""

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from ler.db.tables import PLATFORM_OPERATOR
from ler.packages.gml import Answer, write_answer
from tests.acceptance.test_answer_page import post as post_page
from tests.life_cycle import CORRECTING, DIGGER_MAIL, LATE, MANAGEMENT_MAIL, NAMES, SILENT, Scene, open_scene
from tests.packages import manifest_of, opened
from tests.requests import AREA
from tests.service import eventually
from tests.world import header, water_pipe

PLAIN = [
    # Tuesday 24 March 10:00: two hours on.
    ("2037-03-24T10:00:00+01:00", "2037-03-24T12:00:00+01:00"),
]
NIGHT = [
    # Tuesday 15:20: 40 minutes until 16:00; 80 are left, from 07:00 on Wednesday.
    ("2037-03-24T15:20:00+01:00", "2037-03-25T08:20:00+01:00"),
    # In the night: at 09 of the next working day.
    ("2037-03-24T22:00:00+01:00", "2037-03-25T09:00:00+01:00"),
]
WEEKEND_OF_SUMMER_TIME = [
    # Friday 27 March 15:30: 30 minutes until 16:00; 90 are left, from 07:00 on Monday, by summer time since Sunday: 06:30 UTC.
    ("2037-03-27T15:30:00+01:00", "2037-03-30T08:30:00+02:00"),
    # Sunday 29 March, half a minute before 02:00 becomes 03:00: at 09 on Monday, 07:00 UTC.
    ("2037-03-29T01:59:30+01:00", "2037-03-30T09:00:00+02:00"),
]
WEEKEND_OF_WINTER_TIME = [
    # Friday 23 October 15:30: 30 minutes; 90 from 07:00 on Monday, by winter time since Sunday 25 October: 07:30 UTC.
    ("2037-10-23T15:30:00+02:00", "2037-10-26T08:30:00+01:00"),
    # Sunday 25 October 02:30, which comes twice; the second time: at 09 on Monday, 08:00 UTC.
    ("2037-10-25T02:30:00+01:00", "2037-10-26T09:00:00+01:00"),
]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with open_scene(tmp_path_factory.mktemp("life"), datetime(2037, 3, 24, 7, 0, tzinfo=UTC)) as made:
        yield made


def due_of(receipt: dict[str, Any]) -> dict[str, datetime]:
    """Until when each owner must answer that has not answered yet."""
    return {
        one["cvr"]: datetime.fromisoformat(area["due_at"])
        for one in receipt["owners"]
        for area in one["areas"]
        if one["missing"]
    }


@pytest.mark.parametrize("times", [PLAIN, NIGHT, WEEKEND_OF_SUMMER_TIME])
def test_answers_are_due_and_late_as_worked_out_by_hand(scene: Scene, times: list[tuple[str, str]]) -> None:
    asks_and_waits(scene, times)


def asks_and_waits(scene: Scene, times: list[tuple[str, str]]) -> None:
    """Send requests, and wait until each is late; what nobody wants any more is then given up."""
    sent = [(scene.ask(moment), datetime.fromisoformat(moment), due) for moment, due in times]
    for receipt, moment, due in sent:
        # It takes a moment until a request is entered, and by that the two hours move; not so 09 o'clock.
        moved = datetime.fromisoformat(receipt["received_at"]) - moment
        assert timedelta(0) <= moved < timedelta(seconds=20)
        wanted = datetime.fromisoformat(due) + (timedelta(0) if "T09:00:00" in due else moved)
        assert due_of(receipt) == dict.fromkeys((CORRECTING, LATE, SILENT), wanted)
        # As people read it: by the legal time of that day.
        assert receipt["answers_due_at"] == wanted.isoformat(timespec="milliseconds")
        # The time runs out by itself: nobody is late before, and all soon after.
        scene.clock.move_to(wanted - timedelta(seconds=1))
        wait_late(scene, receipt, 3)
        marked = scene.events(receipt, "ler:owner_request:late")
        assert len(marked) == 3
        assert all(wanted < at < wanted + timedelta(seconds=20) for at, _ in marked), marked
        assert scene.client.http.post(receipt["links"]["cancel"]).json()["state"] == "cancelled"


SENT_BEFORE_EASTER = "2037-04-01T14:50:00+02:00"
"""Wednesday before Maundy Thursday, 70 minutes before 16:00. Thursday 2, Friday 3 and Monday 6 April are holidays: the
other 50 minutes run on Tuesday 7 April, from 07:00 to 07:50."""


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
        members = opened(self.scene.asked(self.receipt).download(package).content)
        assert first["en"] in members["README.txt"].decode()
        assert first["da"] in members["Laes_mig.txt"].decode()
        return package["complete"], {
            name for name in NAMES.values() if any(name in one["en"] for one in first["owners"])
        }


@pytest.fixture(scope="module")
def easter(scene: Scene) -> Easter:
    receipt = scene.ask(SENT_BEFORE_EASTER)
    sent = datetime.fromisoformat(SENT_BEFORE_EASTER)
    return Easter(scene, receipt, datetime.fromisoformat(receipt["received_at"]) - sent)


def test_answers_over_easter_are_due_on_tuesday(easter: Easter) -> None:
    wanted = datetime.fromisoformat("2037-04-07T07:50:00+02:00") + easter.moved
    assert due_of(easter.receipt) == dict.fromkeys((CORRECTING, LATE, SILENT), wanted)
    assert len(easter.receipt["owners"]) == 6


def test_the_first_package_has_the_central_owners_lines_and_names_the_others(easter: Easter) -> None:
    package = easter.package(1)
    assert easter.missing(package) == (False, {NAMES[cvr] for cvr in (CORRECTING, LATE, SILENT)})
    assert package["feature_count"] == 3
    for cvr in (CORRECTING, LATE, SILENT):
        wait_mails(easter, cvr, "Graveforespørgsel", 1)


def test_a_correcting_owner_has_no_lines_at_first(easter: Easter) -> None:
    # Twenty minutes before half of the time is gone.
    easter.at("2037-04-01T15:30:00+02:00")
    scene = easter.scene
    path = scene.owner_request(CORRECTING, easter.receipt)
    assert scene.clients[CORRECTING].http.post(f"{path}/acknowledge").json()["state"] == "acknowledged"
    given = scene.answer(CORRECTING, easter.receipt, {"type": "ingen ledninger i graveområde"})
    assert given.status_code == 201, given.text
    package = easter.package(2)
    assert easter.missing(package) == (False, {NAMES[LATE], NAMES[SILENT]})


def test_who_is_silent_is_reminded_by_the_clock_that_stands_still_over_easter(easter: Easter) -> None:
    # Half of two hours is one: Wednesday 15:50. Nine tenths are 108 minutes, of which 38 fall on Tuesday: 07:38.
    for moment, percent in (
        ("2037-04-01T15:50:00+02:00", 50),
        ("2037-04-07T07:38:00+02:00", 90),
        ("2037-04-07T07:50:00+02:00", 100),
    ):
        easter.at(moment, -1)
        for cvr in (LATE, SILENT):
            wait_reminded(easter, cvr, percent)
    for cvr, wanted in ((LATE, [50, 90, 100]), (SILENT, [50, 90, 100]), (CORRECTING, [])):
        assert percents(easter, cvr) == wanted
        wait_mails(easter, cvr, "Påmindelse", len(wanted))
    # Each at its minute.
    assert [at - easter.moved for at in reminded_at(easter, SILENT)] == [
        pytest.approx(datetime.fromisoformat(one), abs=timedelta(seconds=20))
        for one in ("2037-04-01T15:50:00+02:00", "2037-04-07T07:38:00+02:00", "2037-04-07T07:50:00+02:00")
    ]


def test_a_package_names_those_who_are_late(easter: Easter) -> None:
    package = easter.package(3)
    assert easter.missing(package) == (False, {NAMES[LATE], NAMES[SILENT]})
    assert all("OVERDUE" in one["en"] for one in package["notices"][0]["owners"])
    assert easter.scene.progress(easter.receipt)["late"] == 2
    wait_mails(easter, None, "Grav ikke", 2)


def test_a_late_answer_is_taken_and_marked_as_late(easter: Easter) -> None:
    easter.at("2037-04-07T08:40:00+02:00")
    scene = easter.scene
    given = scene.answer(LATE, easter.receipt, {}, lines(LATE, "sen.1"))
    assert given.status_code == 201, given.text
    package = easter.package(4)
    assert easter.missing(package) == (False, {NAMES[SILENT]})
    assert package["feature_count"] == 4
    areas = owners_of(easter)[LATE]["areas"]
    assert [(one["state"], one["late"]) for one in areas] == [("answered", True)]


def test_silence_is_told_to_the_second_contact_and_then_to_the_operator(easter: Easter) -> None:
    scene = easter.scene
    # Two hours of the clock after 07:50 on Tuesday 7 April: 09:50.
    easter.at("2037-04-07T09:50:00+02:00", -1)
    eventually(lambda: scene.mails(MANAGEMENT_MAIL, easter_words(easter)) == 1)
    # Nine hours after: eight and ten minutes until 16:00; the other 50 minutes on Wednesday, until 07:50.
    assert told_operator(easter) == []
    easter.at("2037-04-08T07:50:00+02:00", -1)
    eventually(lambda: told_operator(easter) == ["owner.silent"])


def test_the_silent_owner_answers_at_last_by_the_link_in_its_mail(easter: Easter) -> None:
    easter.at("2037-04-08T09:00:00+02:00")
    scene = easter.scene
    path = scene.link(f"{SILENT}@example.dk", easter_words(easter))
    sent = post_page(scene.service, path, {"type": "NO_LINES", "revision": "0"})
    assert (sent.status_code, sent.headers["Location"]) == (303, path), sent.text
    package = easter.package(5)
    assert easter.missing(package) == (True, set())
    assert package["feature_count"] == 4
    found = scene.client.http.get(easter.receipt["links"]["self"]).json()
    assert (found["state"], found["revision"]) == ("complete", 5)


def test_a_correction_is_told_to_who_holds_the_package(easter: Easter) -> None:
    easter.at("2037-04-08T11:00:00+02:00")
    scene = easter.scene
    corrected = scene.answer(CORRECTING, easter.receipt, {"update": True}, lines(CORRECTING, "rettet.1"))
    assert corrected.status_code == 201, corrected.text
    package = easter.package(6)
    assert easter.missing(package) == (True, set())
    assert package["feature_count"] == 5
    content = scene.asked(easter.receipt).download(package).content
    assert b"rettet.1" in opened(content)["consolidated.gml"]
    by_cvr = {one["cvr"]: one for one in manifest_of(content)["owners"]}
    assert [one["revision"] for one in by_cvr[CORRECTING]["answers"]] == [2]
    wait_mails(easter, None, "Vigtigt: Rettende Net har rettet", 1)
    # What was delivered before can still be read, as it was.
    listed = scene.asked(easter.receipt).listed()["packages"]
    whole = [one["revision"] for one in listed if one["kind"] == "consolidated"]
    assert whole == [6, 5, 4, 3, 2, 1]


def test_the_webhook_got_it_all_once_in_order_and_signed(easter: Easter) -> None:
    scene = easter.scene
    wanted = [
        *["owner.answered"] * 3,
        "request.created",
        "package.ready",
        *("owner.acknowledged", "owner.answered", "package.ready"),
        *("owner.late", "owner.late", "package.ready"),
        *("owner.answered", "package.ready"),
        *("owner.answered", "request.completed", "package.ready"),
        *("owner.corrected", "package.ready"),
    ]

    def got() -> list[tuple[int, str]]:
        calls = {call.headers["webhook-id"]: json.loads(call.body) for call in scene.hook.calls}
        about = [one for one in calls.values() if one["data"].get("request_id") == easter.receipt["id"]]
        return sorted((one["data"]["number"], one["type"]) for one in about)

    eventually(lambda: len(got()) >= len(wanted))
    assert sorted(kind for _, kind in got()) == sorted(wanted)
    for call in scene.hook.calls:
        at = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
        signed = Webhook(scene.webhook_secret).sign(call.headers["webhook-id"], at, call.body.decode())
        assert call.headers["webhook-signature"] == signed


def test_answers_over_the_weekend_of_winter_time(scene: Scene) -> None:
    asks_and_waits(scene, WEEKEND_OF_WINTER_TIME)


def test_a_request_ends_after_its_last_day_by_legal_time(scene: Scene) -> None:
    # Asked on 26 October, its fortnight from the 27th on has its last day on 9 November, which ends at 23:00 UTC.
    receipt = scene.ask("2037-10-26T10:00:00+01:00")
    ends = datetime(2037, 11, 9, 23, 0, tzinfo=UTC)
    scene.clock.move_to(ends - timedelta(seconds=2))
    eventually(lambda: scene.client.http.get(receipt["links"]["self"]).json()["state"] == "ended")
    ((at, _),) = scene.events(receipt, "ler:excavation_request:end")
    assert ends <= at < ends + timedelta(seconds=20)


def test_the_trail_tells_all_of_it_and_its_chain_holds(easter: Easter) -> None:
    scene = easter.scene
    with scene.service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT action FROM ler.audit_event WHERE details->>'request_id' = %s OR object_id::text = %s"
            " ORDER BY id",
            [easter.receipt["id"]] * 2,
        ).fetchall()
    counted = Counter(action for (action,) in rows)
    wanted = {
        "requester:excavation_request:add": 1,
        "ler:excavation_request:match": 1,
        "owner:owner_request:acknowledge": 1,
        # Who was late, and who was silent.
        "ler:owner_request:late": 2,
        # The one in time, the late one, and the silent one by its link.
        "owner:owner_answer:give": 3,
        "owner:owner_answer:correct": 1,
    }
    assert {action: counted[action] for action in wanted} == wanted, counted
    assert counted["worker:package:add"] >= 6, counted
    verified = scene.command("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def told_operator(easter: Easter) -> list[str]:
    with easter.scene.service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT kind FROM ler.notice WHERE audience_id = %s AND request_id = %s",
            [PLATFORM_OPERATOR, easter.receipt["id"]],
        ).fetchall()
    return [kind for (kind,) in rows]


def wait_late(scene: Scene, receipt: dict[str, Any], count: int) -> None:
    eventually(lambda: scene.progress(receipt)["late"] == count)


def wait_reminded(easter: Easter, cvr: str, percent: int) -> None:
    eventually(lambda: percents(easter, cvr)[-1:] == [percent])


def wait_mails(easter: Easter, cvr: str | None, words: str, count: int) -> None:
    eventually(lambda: easter_mails(easter, cvr, words) == count)


def owners_of(easter: Easter) -> dict[str, dict[str, Any]]:
    found = easter.scene.client.http.get(easter.receipt["links"]["self"]).json()
    return {one["cvr"]: one for one in found["owners"]}


def reminders(easter: Easter, cvr: str) -> list[tuple[datetime, int]]:
    with easter.scene.service.world.database.connect() as connection:
        return connection.execute(
            "SELECT at, (data->>'percent')::int FROM ler.notice WHERE kind = 'owner.reminder'"
            " AND audience_id = %s AND request_id = %s ORDER BY at",
            [easter.scene.owners[cvr], easter.receipt["id"]],
        ).fetchall()


def percents(easter: Easter, cvr: str) -> list[int]:
    return [percent for _, percent in reminders(easter, cvr)]


def reminded_at(easter: Easter, cvr: str) -> list[datetime]:
    return [at for at, _ in reminders(easter, cvr)]


def easter_words(easter: Easter) -> str:
    return f"raveforespørgsel {easter.receipt['order_number']}"


def easter_mails(easter: Easter, cvr: str | None, words: str) -> int:
    """How many mails about this request an owner, or the digger, has got that begin so."""
    address = f"{cvr}@example.dk" if cvr else DIGGER_MAIL
    subjects = [str(mail["Subject"]) for mail in easter.scene.mail.to(address)]
    return sum(one.startswith(words) and easter_words(easter) in one for one in subjects)


def lines(cvr: str, gml_id: str) -> bytes:
    """An answer with one pipe through the area."""
    west, south, east, north = AREA.bounds
    pipe = water_pipe(gml_id, (west + 60, south + 5, 1), (east - 10, north - 5, 1))
    stream = io.BytesIO()
    write_answer(stream, Answer(cvr, "x", header(), [pipe]))
    return stream.getvalue()
