"""How an act of the play is done: in a transaction that may die, by who acts or by an agent for it, and in the model."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import Connection

from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import RefusedError
from ler.rules_in_force import due_by_default_rules, manual_due
from ler.services.audit import verify_trail
from ler.settings import Settings
from tests.life_model import Life
from tests.life_scene import Scene
from tests.life_things import Duty, Request

MANUAL_DUE: Final = manual_due(Settings())
PICKS: Final = st.integers(0, 63)
DIES: Final = st.sampled_from([False, False, False, True])


class DiedError(BaseException):
    """The process died here: no handler of ours may see it."""


class LifeActs(RuleBasedStateMachine):
    """What all acts share."""

    def __init__(self, scene: Scene, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.scene = scene
        self.patch = patch
        self.life = Life()
        self.years = 2001

    def _act(
        self, who: UUID, act: Callable[[Connection], object], then: Callable[[], object], *, dies: bool
    ) -> None:
        """Act in a transaction, which may die before it is committed; the model acts only when it was."""
        by_agent = self.life.through_agent

        def acting() -> None:
            agent = self.scene.agent_for(who) if by_agent else None
            with self.scene.acting(who, agent) as connection:
                act(connection)
                _die(at_once=dies)

        def in_the_model() -> None:
            if by_agent and who not in self.life.mandates:
                raise RefusedError("mandate-missing", "")
            with self.life.acts_of(by_agent=by_agent):
                then()

        try:
            refused = _refusal(acting)
        except DiedError:
            return
        assert refused == _refusal(in_the_model)

    def _asked(self, request: Request) -> list[Duty]:
        """What was asked of whom, which must be those whose area it is."""
        rows = self.scene.admin.execute(
            "SELECT id, interest_area_id, received_at FROM ler.owner_request WHERE request_id = %s",
            [request.id],
        ).fetchall()
        areas = {area.id: area for area in self.life.asked_of(request.place)}
        assert {area for _, area, _ in rows} == areas.keys()
        return [
            Duty(id_, replace(areas[area]), received, due_by_default_rules(received))
            for id_, area, received in rows
        ]

    def _check_times(self, request: Request) -> None:
        """Until when each owner must answer, also one whose word is awaited."""
        expected = [duty.due for duty in request.duties]
        self._read_times(request)
        assert [duty.due for duty in request.duties] == expected

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
