"""The life of requests once more, in plain Python: what the platform must have stored and told after each act.

Written from `ler.domain` and the reference pages, and without a look at the database's functions, against which it is
held. What an owner request's answer is, is a reference here: several areas may share one answer of the platform.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from ler.domain.answers import CONTENT_RULES, AnswerType, check_order
from ler.domain.machine import Actor
from ler.domain.states import (
    OWNER_MACHINE,
    REQUEST_MACHINE,
    OwnerEvent,
    OwnerState,
    RequestEvent,
    RequestState,
    progress_event,
)
from ler.errors import RefusedError
from tests.life_things import Area, Duty, Given, Line, Request, places_of

OVER: Final = frozenset({RequestState.CANCELLED, RequestState.ENDED})

type Told = tuple[UUID, str, UUID | None, UUID | None]
"""Who is told, of what, about which request and which owner."""


@dataclass
class Life:
    """All requests, what was published, told and recorded."""

    areas: list[Area] = field(default_factory=list)
    networks: dict[UUID, dict[int, frozenset[Line]]] = field(default_factory=dict)
    """Of each owner the versions published, by number; the highest is current."""
    requests: list[Request] = field(default_factory=list)
    notices: Counter[Told] = field(default_factory=Counter)
    acts: Counter[tuple[str, UUID | None]] = field(default_factory=Counter)
    publications: list[tuple[UUID, int]] = field(default_factory=list)
    """Not looked through yet."""
    appeared: list[Area] = field(default_factory=list)
    told_of: set[tuple[UUID, object]] = field(default_factory=set)
    secrets: dict[UUID, tuple[UUID, frozenset[str]]] = field(default_factory=dict)
    """Of each owner the rule by which lines wait for its word, and their gml:ids."""
    mandates: dict[UUID, UUID] = field(default_factory=dict)
    """Who lets the agent act for it."""
    through_agent: bool = False
    by_agent: Counter[tuple[str, UUID | None]] = field(default_factory=Counter)
    """Acts that the agent did for another."""
    _by_agent: bool = False

    @contextmanager
    def acts_of(self, *, by_agent: bool) -> Iterator[None]:
        """What is recorded meanwhile is an act of the agent, or not."""
        self._by_agent = by_agent
        try:
            yield
        finally:
            self._by_agent = False

    def withheld(self) -> list[tuple[Request, Given]]:
        """Answers from which lines were withheld, whether or not the owner's word is still awaited."""
        return [(one, given) for one in self.requests for given in one.answers if given.withheld]

    def duties(self) -> Iterator[tuple[Request, Duty]]:
        for request in self.requests:
            for duty in request.duties:
                yield request, duty

    def asked_of(self, place: str) -> list[Area]:
        return [area for area in self.areas if area.places & places_of(place)]

    # What requesters do

    def match(self, request: Request, manual_due: Callable[[datetime], datetime]) -> None:
        """Ask the owners, and answer for those who let the platform do so."""
        self.requests.append(request)
        self._record("requester:excavation_request:add", request.id)
        self._record("ler:excavation_request:match", request.id)
        self._tell(request.requester, "request.created", request)
        for owner in {duty.owner for duty in request.duties if duty.area.by_platform} & {*self.networks}:
            number, lines = max(self.networks[owner].items())
            inside = frozenset(one for one in lines if one[0][0] in places_of(request.place))
            _, secret = self.secrets.get(owner, (None, frozenset()))
            withheld = frozenset(one for one in inside if one[0] in secret)
            kind = AnswerType.DELIVERED if inside else AnswerType.NO_LINES
            kind = AnswerType.MANUAL if withheld else kind
            given = Given(owner, None, kind, by_owner=False, lines=inside - withheld, version=number)
            given.withheld = withheld
            request.answers.append(given)
            self._tell(request.requester, "owner.answered", request, owner)
            for duty in request.duties:
                if duty.owner == owner and duty.area.by_platform:
                    duty.answer = given
                    duty.state = OWNER_MACHINE.after(duty.state, CONTENT_RULES[kind].event, Actor.PLATFORM)
                    duty.due = max(duty.due, manual_due(duty.received)) if withheld else duty.due
        for duty in request.duties:
            self._tell(duty.owner, "owner.asked", request, duty.owner)
        self._settle(request)

    def cancel(self, request: Request) -> None:
        request.state = REQUEST_MACHINE.after(request.state, RequestEvent.CANCEL, Actor.REQUESTER)
        self._tell(request.requester, "request.cancelled", request)
        for owner in request.owners:
            self._tell(owner, "request.cancelled", request, owner)
        for duty in request.duties:
            duty.state = OWNER_MACHINE.after(duty.state, OwnerEvent.CANCEL, Actor.PLATFORM)
        request.revision += 1  # nobody is called: there is no package of it
        self._record("requester:excavation_request:cancel", request.id)

    def extend(self, request: Request, *, days: int, seen: int) -> None:
        if seen != request.revision:
            raise RefusedError("precondition-failed", "")
        REQUEST_MACHINE.after(request.state, RequestEvent.EXTEND, Actor.REQUESTER)
        if request.past:
            raise RefusedError("event-not-possible", "")
        request.days = days
        self._tell(request.requester, "request.extended", request)
        for owner in request.owners:
            self._tell(owner, "request.extended", request, owner)
        self._move_on(request)
        self._record("requester:excavation_request:extend", request.id)

    def ask_to_mark(self, request: Request, duty: Duty) -> None:
        duty.state = OWNER_MACHINE.after(duty.state, OwnerEvent.ASK_TO_MARK, Actor.REQUESTER)
        self._tell(duty.owner, "owner.marking_asked", request, duty.owner)
        self._settle(request)
        self._move_on(request)
        self._record("requester:owner_request:ask_to_mark", duty.id)

    # What owners do

    def acknowledge(self, request: Request, duty: Duty) -> None:
        if duty.acknowledged:
            return
        duty.state = OWNER_MACHINE.after(duty.state, OwnerEvent.ACKNOWLEDGE, Actor.OWNER)
        duty.acknowledged = True
        self._tell(request.requester, "owner.acknowledged", request, duty.owner)
        self._record("owner:owner_request:acknowledge", duty.id)

    def give(
        self,
        request: Request,
        duty: Duty,
        kind: AnswerType,
        lines: frozenset[Line],
        manual_due: datetime,
        *,
        is_update: bool,
    ) -> Given:
        """Answer anew or for the first time, for all areas for which the answer before spoke."""
        former = duty.answer
        check_order(is_update=is_update, answered_before=former is not None)
        covered = request.speaks_for(former) if former else [duty]
        event = CONTENT_RULES[kind].event
        after = [OWNER_MACHINE.after(one.state, event, Actor.OWNER) for one in covered]
        given = Given(duty.owner, former.area if former else duty.area.id, kind, by_owner=True, lines=lines)
        if former is not None:
            given.revision = former.revision + 1
            former.holds = False
        # To correct is to put something in the place of what somebody may dig by.
        corrected = any(
            one.owner == given.owner
            and one.area == given.area
            and not one.withdrawn
            and one.kind is not AnswerType.MANUAL
            for one in request.answers
        )
        request.answers.append(given)
        self._tell(
            request.requester, "owner.corrected" if corrected else "owner.answered", request, duty.owner
        )
        for one, state in zip(covered, after, strict=True):
            self._mark_late(request, one)
            one.state, one.answer = state, given
            if event is OwnerEvent.TAKE_OUT and manual_due > one.due:
                one.due, one.reminded = manual_due, False
        self._settle(request)
        self._move_on(request)
        return given

    def record_given(self, given: Given) -> None:
        first = given.revision == 1
        self._record("owner:owner_answer:give" if first else "owner:owner_answer:correct", given.id)

    def decide(self, request: Request, former: Given, made: UUID | None, *, deliver: bool) -> None:
        """Say whether withheld lines are delivered: an answer of the platform takes the place of the one that waits."""
        if not former.holds or request.state in OVER:
            raise RefusedError("nothing-awaits-decision", "")
        covered = request.speaks_for(former)
        refused = AnswerType.SITE_MARKING_WITH_LINES if former.lines else AnswerType.WITHHELD
        kind = AnswerType.DELIVERED if deliver else refused
        lines = former.lines | former.withheld if deliver else former.lines
        given = Given(former.owner, former.area, kind, by_owner=False, lines=lines, version=former.version)
        given.revision, given.id, former.holds = former.revision + 1, made, False
        request.answers.append(given)
        self._tell(request.requester, "owner.answered", request, given.owner)
        for one in covered:
            self._mark_late(request, one)
            one.state = OWNER_MACHINE.after(one.state, CONTENT_RULES[kind].event, Actor.PLATFORM)
            one.answer = given
        self._settle(request)
        self._move_on(request)
        self._record(f"owner:owner_answer:{'release' if deliver else 'withhold'}", made)

    def withdraw(self, request: Request, duty: Duty) -> None:
        former = duty.answer
        if former is None or not former.holds:
            raise RefusedError("event-not-possible", "")
        covered = request.speaks_for(former)
        after = [OWNER_MACHINE.after(one.state, OwnerEvent.WITHDRAW, Actor.OWNER) for one in covered]
        former.holds, former.withdrawn = False, True
        for one, state in zip(covered, after, strict=True):
            one.state = state
        self._tell(request.requester, "owner.withdrawn", request, duty.owner)
        self._settle(request)
        self._move_on(request)
        self._record("owner:owner_answer:withdraw", former.id)

    def appoint(self, request: Request, duty: Duty) -> None:
        if duty.state is not OwnerState.TO_BE_MARKED:
            raise RefusedError("event-not-possible", "")
        self._move_on(request)
        self._record("owner:owner_request:appoint", duty.id)

    def mark(self, request: Request, duty: Duty) -> None:
        duty.state = OWNER_MACHINE.after(duty.state, OwnerEvent.MARK, Actor.OWNER)
        self._tell(request.requester, "owner.marked", request, duty.owner)
        self._settle(request)
        self._move_on(request)
        self._record("owner:owner_request:mark", duty.id)

    def publish(self, owner: UUID, number: int, lines: frozenset[Line]) -> None:
        self.networks.setdefault(owner, {})[number] = lines
        self.publications.append((owner, number))

    def appear(self, area: Area) -> None:
        self.areas.append(area)
        self.appeared.append(area)

    # What time does

    def mark_late(self) -> None:
        for request in self.requests:
            late = [self._mark_late(request, duty, seen=True) for duty in request.duties]
            if any(late):
                self._move_on(request)

    def end(self) -> None:
        for request in self.requests:
            if request.past and request.state not in OVER:
                request.state = REQUEST_MACHINE.after(request.state, RequestEvent.END, Actor.PLATFORM)
                self._tell(request.requester, "request.ended", request)
                self._record("ler:excavation_request:end", request.id)
                for duty in request.duties:
                    duty.state = OWNER_MACHINE.after(duty.state, OwnerEvent.END, Actor.PLATFORM)

    def call_for_packages(self) -> None:
        for request in self.requests:
            request.called = request.called or request.left_to_pack

    def remind(self) -> None:
        for request, duty in self.duties():
            if duty.overdue and not duty.reminded:
                duty.reminded = True
                self._tell(duty.owner, "owner.reminder", request, duty.owner)

    def tell_changes(self) -> None:
        """Tell who holds what is not so any more."""
        for owner, number in self.publications:
            versions = self.networks[owner]
            before = max((one for one in versions if one < number), default=None)
            changed = versions[number] ^ (versions[before] if before is not None else frozenset())
            for request in self._valid():
                held = [one for one in request.holding(owner) if not one.by_owner and one.version is not None]
                near = any(line[0][0] in places_of(request.place) for line in changed)
                if near and any(one.version is not None and one.version < number for one in held):
                    self._tell_once("network.changed", request, owner, (owner, number))
        for area in self.appeared:
            for request in self._valid():
                if area.places & places_of(request.place) and area.owner not in request.owners:
                    self._tell_once("owner.appeared", request, area.owner, area.id)
        self.publications, self.appeared = [], []

    def packed(self, request: Request, made: Counter[tuple[UUID | None, int]]) -> None:
        """Take note of the packages that were made."""
        request.packages = made
        self.acts["worker:package:add", request.id] = made.total()
        for _, revision in (one for one in made if one[0] is None):
            self.notices[request.requester, f"package.ready {revision}", request.id, None] = 1

    def _valid(self) -> list[Request]:
        return [one for one in self.requests if one.state not in OVER and not one.past]

    def _tell_once(self, what: str, request: Request, owner: UUID, thing: object) -> None:
        if (request.id, thing) not in self.told_of:
            self.told_of.add((request.id, thing))
            self._tell(request.requester, what, request, owner)

    def _mark_late(self, request: Request, duty: Duty, *, seen: bool = False) -> bool:
        """`seen` by the sweep, which records it; an answer tells itself that it is late."""
        if duty.late or not duty.overdue:
            return False
        duty.late = True
        self._tell(request.requester, "owner.late", request, duty.owner)
        if seen:
            self._record("ler:owner_request:late", duty.id)
        return True

    def _settle(self, request: Request) -> None:
        event = progress_event([duty.state for duty in request.duties])
        before = request.state
        request.state = REQUEST_MACHINE.after(before, event, Actor.PLATFORM)
        if request.state is RequestState.COMPLETE and before is not RequestState.COMPLETE:
            self._tell(request.requester, "request.completed", request)

    def _move_on(self, request: Request) -> None:
        request.revision += 1
        request.called = True

    def _tell(self, audience: UUID, what: str, request: Request, owner: UUID | None = None) -> None:
        self.notices[audience, what, request.id, owner] += 1

    def _record(self, action: str, thing: UUID | None) -> None:
        self.acts[action, thing] += 1
        if self._by_agent:
            self.by_agent[action, thing] += 1
