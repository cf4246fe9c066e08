"""Requests, owners, versions, time and crashes in any order that chance finds: each act against the database and in the
model. What owners do stands in `tests.life_owners`, how an act is done in `tests.life_acts`."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import Connection

import geoapi.packing
from conflicts.match import match_request
from geoapi.packing import mend_packages, pack_request
from ler.domain.states import RequestState
from ler.errors import NotFoundError
from ler.services.answers import acknowledge, ask_to_mark, mark, withdraw_answer
from ler.services.requests import NewRequest, cancel_request, create_request, extend_request, today_of
from tests.life_acts import DIES, MANUAL_DUE, PICKS, DiedError
from tests.life_checks import check_seen, check_stored
from tests.life_owners import OwnerActs
from tests.life_packages import check_packages
from tests.life_scene import PLACES
from tests.life_things import Request

if TYPE_CHECKING:
    from uuid import UUID

MOST_REQUESTS: Final = 3
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


class LifeMachine(OwnerActs):
    """The acts of who digs, of time and of workers, and what must hold."""

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
            self.life.match(request, MANUAL_DUE)
            self._name_answers(request)
            self._check_times(request)

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
        # A worker that died behind it may have left the package of all; the end of a request makes no other.
        is_older = bool(request.packages[None, request.revision]) and request.state is RequestState.ENDED

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
            check_packages(self.scene, request, whole=not is_older)
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
