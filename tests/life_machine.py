"""Requests, owners, versions, time and crashes in any order that chance finds: each act against the database and in the
model."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import Connection

import geoapi.packing
from conflicts.match import match_request
from geoapi.packing import mend_packages, pack_request
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.answers import CONTENT_RULES, AnswerType, Appointment, Holds
from ler.domain.states import RequestState
from ler.errors import NotFoundError, RefusedError
from ler.rules_in_force import due_by_default_rules, manual_due
from ler.services.answers import (
    NewAnswer,
    acknowledge,
    appoint,
    ask_to_mark,
    give_answer,
    mark,
    withdraw_answer,
)
from ler.services.audit import verify_trail
from ler.services.requests import NewRequest, cancel_request, create_request, extend_request, today_of
from ler.settings import Settings
from tests.life_checks import check_seen, check_stored
from tests.life_model import Duty, Life, Line, Request
from tests.life_packages import check_packages
from tests.life_scene import PLACES, Scene, features

MOST_REQUESTS: Final = 3
MANUAL_DUE: Final = manual_due(Settings())

PICKS: Final = st.integers(0, 63)
DIES: Final = st.sampled_from([False, False, False, True])
LINES: Final = st.sets(st.sampled_from(["w1", "w2", "e1", "e2"]), max_size=3)
POINTS: Final = (
    "package.claimed",
    "package.read",
    "package.written",
    "package.kept",
    "package.before-commit",
    "package.after-commit",
    "package.owners-kept",
    "package.finished",
)


class DiedError(BaseException):
    """The process died here: no handler of ours may see it."""


class LifeMachine(RuleBasedStateMachine):
    """The acts, each against the database and in the model."""

    def __init__(self, scene: Scene, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.scene = scene
        self.patch = patch
        self.life = Life()
        self.years = 2001

    @initialize()
    def begin(self) -> None:
        self.scene.empty()
        self.life.areas = [replace(area) for area in self.scene.areas]
        self.life.networks = {owner: {**versions} for owner, versions in self.scene.networks.items()}

    # Requesters

    @precondition(lambda self: len(self.life.requests) < MOST_REQUESTS)
    @rule(who=st.integers(0, 1), place=st.sampled_from([*PLACES]), again=PICKS, dies=DIES)
    def ask(self, who: int, place: str, again: int, dies: bool) -> None:  # noqa: FBT001 - drawn
        digger = self.scene.diggers[who]
        own = [one for one in self.life.requests if one.requester == digger and one.place == place]
        renews = own[again % len(own)].id if own and again % 2 else None
        made: list[UUID] = []

        def act(connection: Connection) -> None:
            today = today_of(connection)
            wanted = NewRequest(PLACES[place], today, today + timedelta(days=7), "fibre", renews_id=renews)
            made.append(create_request(connection, digger, wanted).id)
            match_request(connection, made[-1])

        def then() -> None:
            request = Request(made[-1], digger, place, 7)
            request.duties = self._asked(request)
            self.life.match(request)
            self._name_answers(request)

        self._act(digger, act, then, dies=dies)

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS, dies=DIES)
    def cancel(self, pick: int, dies: bool) -> None:  # noqa: FBT001 - drawn
        request = self._request(pick)
        self._act(
            request.requester,
            lambda connection: cancel_request(connection, request.id),
            lambda: self.life.cancel(request),
            dies=dies,
        )

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS, dies=DIES, stale=DIES)
    def extend(self, pick: int, dies: bool, stale: bool) -> None:  # noqa: FBT001 - drawn
        request = self._request(pick)
        seen, days = request.revision - stale, request.days + 3

        def act(connection: Connection) -> None:
            extend_request(connection, request.id, today_of(connection) + timedelta(days=days), seen=seen)

        self._act(request.requester, act, lambda: self.life.extend(request, days=days, seen=seen), dies=dies)

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS, dies=DIES)
    def ask_to_mark(self, pick: int, dies: bool) -> None:  # noqa: FBT001 - drawn
        request, duty = self._duty(pick)
        self._act(
            request.requester,
            lambda connection: ask_to_mark(connection, duty.id, "not found"),
            lambda: self.life.ask_to_mark(request, duty),
            dies=dies,
        )

    # Owners

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS, dies=DIES)
    def acknowledge(self, pick: int, dies: bool) -> None:  # noqa: FBT001 - drawn
        request, duty = self._duty(pick)
        self._act(
            duty.owner,
            lambda connection: acknowledge(connection, duty.id),
            lambda: self.life.acknowledge(request, duty),
            dies=dies,
        )

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS, kind=st.sampled_from([*AnswerType]), wrong=DIES, second=st.booleans(), dies=DIES)
    def answer(self, pick: int, kind: AnswerType, wrong: bool, second: bool, dies: bool) -> None:  # noqa: FBT001 - drawn
        request, duty = self._duty(pick)
        rules = CONTENT_RULES[kind]
        self.years += 1
        place = sorted(request.place)
        ids = [f"{place[0]}7"] + ([f"{place[-1]}8"] if second else [])
        lines: frozenset[Line] = frozenset(
            (one, str(self.years)) for one in ids if rules.features is not Holds.MUST_NOT
        )
        is_update = (duty.answer is not None) is not wrong
        wanted = NewAnswer(kind, is_update, further_information="why", features=features([*lines]))
        made: list[UUID] = []

        def act(connection: Connection) -> None:
            made.append(give_answer(connection, duty.id, wanted, MANUAL_DUE).answer_id)

        def then() -> None:
            given = self.life.give(request, duty, kind, lines, MANUAL_DUE(duty.received), is_update=is_update)
            given.id = made[-1] if made else None
            self.life.record_given(given)

        self._act(duty.owner, act, then, dies=dies)

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS, dies=DIES)
    def withdraw(self, pick: int, dies: bool) -> None:  # noqa: FBT001 - drawn
        request, duty = self._duty(pick)
        self._act(
            duty.owner,
            lambda connection: withdraw_answer(connection, duty.id, "wrong"),
            lambda: self.life.withdraw(request, duty),
            dies=dies,
        )

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS, dies=DIES)
    def appoint(self, pick: int, dies: bool) -> None:  # noqa: FBT001 - drawn
        request, duty = self._duty(pick)
        begins = datetime.now(UTC) + timedelta(days=1)
        meeting = Appointment(begins, begins + timedelta(hours=1), "by the pump", "Bo")
        self._act(
            duty.owner,
            lambda connection: appoint(connection, duty.id, meeting),
            lambda: self.life.appoint(request, duty),
            dies=dies,
        )

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS, dies=DIES)
    def mark(self, pick: int, dies: bool) -> None:  # noqa: FBT001 - drawn
        request, duty = self._duty(pick)
        self._act(
            duty.owner,
            lambda connection: mark(connection, duty.id),
            lambda: self.life.mark(request, duty),
            dies=dies,
        )

    @rule(who=st.sampled_from(["central", "both"]), ids=LINES)
    def publish(self, who: str, ids: set[str]) -> None:
        self.years += 1
        owner = self.scene.owners[who]
        lines = frozenset((one, str(self.years if one == "w1" else 2001)) for one in ids)
        self.scene.world.publish(owner, features([*lines]))
        self.life.publish(owner, len(self.life.networks[owner]) + 1, lines)

    @rule(pick=PICKS)
    def choose_who_answers(self, pick: int) -> None:
        area = self.life.areas[pick % len(self.life.areas)]
        self.scene.choose(area, by_platform=not area.by_platform)

    @precondition(lambda self: len(self.life.areas) == len(self.scene.areas))
    @rule(place=st.sampled_from([*PLACES]))
    def appear(self, place: str) -> None:
        self.life.appear(self.scene.appear(self.scene.owners["late-comer"], place))

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS)
    def meddle(self, pick: int) -> None:
        """Others try what is not theirs: for them it is not there."""
        request, duty = self._duty(pick)
        strangers = [one for one in self.scene.everybody if one not in {duty.owner, request.requester}]
        for one in (strangers[pick % len(strangers)], request.requester):
            for act in (acknowledge, withdraw_answer, mark):
                with pytest.raises(NotFoundError), self.scene.acting(one) as connection:
                    act(connection, duty.id)
        for one in (strangers[pick % len(strangers)], duty.owner):
            with pytest.raises(NotFoundError), self.scene.acting(one) as connection:
                cancel_request(connection, request.id)
            with pytest.raises(NotFoundError), self.scene.acting(one) as connection:
                ask_to_mark(connection, duty.id, "not found")

    # Time and workers

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS)
    def let_time_pass(self, pick: int) -> None:
        """Until every owner of a request is over its time."""
        request = self._request(pick)
        self.scene.move(
            "UPDATE ler.owner_request SET received_at = received_at - interval '30 days',"
            " due_at = least(due_at, now() - interval '1 second') WHERE request_id = %(request)s",
            request.id,
        )
        self.scene.move(
            "UPDATE ler.answer_watch SET next_at = now() WHERE request_id = %(request)s", request.id
        )
        self._read_times(request)

    @precondition(lambda self: self.life.requests)
    @rule(pick=PICKS)
    def let_days_pass(self, pick: int) -> None:
        """Until the last day of a dig is over."""
        request = self._request(pick)
        if not request.past:
            self.scene.move(
                "UPDATE ler.excavation_request SET period_from = period_from - (period_to - ler.legal_today() + 1),"
                " period_to = ler.legal_today() - 1 WHERE id = %(request)s",
                request.id,
            )
            request.past = True

    @rule()
    def watch(self) -> None:
        self.scene.clockwork.turn()
        self.life.mark_late()
        self.life.remind()
        self.life.tell_changes()

    @rule()
    def sweep(self) -> None:
        self.scene.packages.sweep()
        self.life.call_for_packages()
        self.scene.work.sweep()
        self.life.mark_late()
        self.life.end()

    @rule()
    def seal(self) -> None:
        self.scene.work.keep_records()
        assert self._verify() == 0

    @precondition(lambda self: self._called())
    @rule(pick=PICKS, twice=st.booleans(), dies_at=st.sampled_from([None, None, None, *POINTS]))
    def pack(self, pick: int, twice: bool, dies_at: str | None) -> None:  # noqa: FBT001 - drawn
        called = self._called()
        request = called[pick % len(called)]
        assert self.scene.take_job(request.id)
        request.called = False

        def point(name: str) -> None:
            if name == dies_at:
                raise DiedError

        self.patch.setattr(geoapi.packing, "point", point)
        try:
            pack_request(self.scene.databases, self.scene.store, request.id)
        except DiedError:
            self._take_packages(request)
            return
        self._take_packages(request)
        if request.state is not RequestState.CANCELLED:
            assert request.packed == request.revision
            check_packages(self.scene, request)
        if twice:
            pack_request(self.scene.databases, self.scene.store, request.id)

    @precondition(lambda self: self._called())
    @rule(pick=PICKS)
    def lose_a_job(self, pick: int) -> None:
        called = self._called()
        request = called[pick % len(called)]
        assert self.scene.take_job(request.id)
        request.called = False

    @precondition(lambda self: any(one.packages for one in self.life.requests))
    @rule(pick=PICKS)
    def lose_a_file(self, pick: int) -> None:
        """A lost package is made again, byte for byte."""
        packed = [one for one in self.life.requests if one.packages]
        request = packed[pick % len(packed)]
        rows = self.scene.admin.execute(
            "SELECT sha256 FROM ler.package WHERE request_id = %s ORDER BY revision, owner_id", [request.id]
        ).fetchall()
        ((lost,), kept) = rows[pick % len(rows)], sorted(rows)
        self.scene.store.path(lost).unlink()
        assert mend_packages(self.scene.databases, self.scene.store, request.id) >= 1
        rows = self.scene.admin.execute(
            "SELECT sha256 FROM ler.package WHERE request_id = %s", [request.id]
        ).fetchall()
        assert sorted(rows) == kept
        assert self.scene.store.path(lost).is_file()
        self.life.acts["worker:package:mend", request.id] += sum(one == (lost,) for one in kept)

    # What must hold after every step

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        check_stored(self.scene, self.life)

    @invariant()
    def nobody_sees_anothers_rows(self) -> None:
        check_seen(self.scene, self.life)

    def teardown(self) -> None:
        """When all is quiet nothing is left to do, and the trail is whole."""
        if not self.life.requests:
            return
        self.sweep()
        self.watch()
        self.sweep()
        for request in self._called():
            self.pack(self._called().index(request), twice=True, dies_at=None)
        assert not any(one.left_to_pack for one in self.life.requests)
        assert not any(duty.overdue and not duty.late for _, duty in self.life.duties())
        self.seal()
        self.everything_is_as_the_model_says()
        self.nobody_sees_anothers_rows()

    # How it is done

    def _act(
        self, who: UUID, act: Callable[[Connection], object], then: Callable[[], object], *, dies: bool
    ) -> None:
        """Act in a transaction, which may die before it is committed; the model acts only when it was."""

        def acting() -> None:
            with self.scene.acting(who) as connection:
                act(connection)
                _die(at_once=dies)

        try:
            refused = _refusal(acting)
        except DiedError:
            return
        assert refused == _refusal(then)

    def _asked(self, request: Request) -> list[Duty]:
        """What was asked of whom, which must be those whose area it is."""
        rows = self.scene.admin.execute(
            "SELECT id, interest_area_id, received_at, due_at FROM ler.owner_request WHERE request_id = %s",
            [request.id],
        ).fetchall()
        areas = {area.id: area for area in self.life.asked_of(request.place)}
        assert {area for _, area, _, _ in rows} == areas.keys()
        for _, _, received, due in rows:
            assert due == due_by_default_rules(received)
        return [Duty(id_, replace(areas[area]), received, due) for id_, area, received, due in rows]

    def _name_answers(self, request: Request) -> None:
        rows = self.scene.admin.execute(
            "SELECT owner_id, id FROM ler.owner_answer WHERE request_id = %s", [request.id]
        ).fetchall()
        ids: dict[UUID, UUID] = dict(rows)
        assert len(rows) == len(ids) == len(request.answers)
        for given in request.answers:
            given.id = ids[given.owner]

    def _read_times(self, request: Request) -> None:
        rows = self.scene.admin.execute(
            "SELECT id, received_at, due_at FROM ler.owner_request WHERE request_id = %s", [request.id]
        ).fetchall()
        times = {id_: (received, due) for id_, received, due in rows}
        for duty in request.duties:
            duty.received, duty.due = times[duty.id]

    def _take_packages(self, request: Request) -> None:
        """Take note of what a worker made before it ended or died: of the newest revision, each once."""
        rows = self.scene.admin.execute(
            "SELECT p.owner_id, p.revision, r.packed_revision FROM ler.excavation_request AS r"
            " LEFT JOIN ler.package AS p ON p.request_id = r.id WHERE r.id = %s",
            [request.id],
        ).fetchall()
        made = Counter((owner, revision) for owner, revision, _ in rows if revision is not None)
        assert not request.packages - made, "no package goes away"
        assert {revision for _, revision in made - request.packages} <= {request.revision}
        assert rows[0][2] in {request.packed, request.revision}
        request.packed = rows[0][2]
        self.life.packed(request, made)

    def _verify(self) -> int:
        """Follow the trail; return how many events wait for the next seal."""
        with self.scene.acting(PLATFORM_OPERATOR) as connection:
            verified = verify_trail(connection)
        assert verified.broken is None
        return verified.waiting

    def _request(self, pick: int) -> Request:
        return self.life.requests[pick % len(self.life.requests)]

    def _duty(self, pick: int) -> tuple[Request, Duty]:
        duties = [*self.life.duties()]
        return duties[pick % len(duties)]

    def _called(self) -> list[Request]:
        return [one for one in self.life.requests if one.called]


def _die(*, at_once: bool) -> None:
    if at_once:
        raise DiedError


def _refusal(act: Callable[[], object]) -> str | None:
    """The code with which an act is refused; None when it is done."""
    try:
        act()
    except RefusedError as refused:
        return refused.code
    return None
