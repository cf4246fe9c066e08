"""What owners do in the play of chance: answer, with files too, publish, choose who answers, keep lines to themselves."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import Connection

from ler.domain.answers import CONTENT_RULES, AnswerType, Appointment, Holds
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.services.answers import NewAnswer, acknowledge, appoint, give_answer, mark, withdraw_answer
from ler.services.sensitivity import decide_withheld, end_rule, make_rule
from tests.life_acts import DIES, MANUAL_DUE, PICKS, LifeActs
from tests.life_scene import PLACES, features

if TYPE_CHECKING:
    from uuid import UUID

    from tests.life_things import Line

LINES: Final = st.sets(st.sampled_from(["w1", "w2", "e1", "e2"]), max_size=3)
SECRET: Final = SensitivityRule(SensitivityClass.RESTRICTED, gml_ids=frozenset({"w1"}))


class OwnerActs(LifeActs):
    """The acts of owners."""

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
    @rule(
        pick=PICKS,
        kind=st.sampled_from([*AnswerType]),
        wrong=DIES,
        second=st.booleans(),
        file=st.booleans(),
        dies=DIES,
    )
    def answer(  # noqa: PLR0917 - drawn
        self,
        pick: int,
        kind: AnswerType,
        wrong: bool,  # noqa: FBT001 - drawn
        second: bool,  # noqa: FBT001 - drawn
        file: bool,  # noqa: FBT001 - drawn
        dies: bool,  # noqa: FBT001 - drawn
    ) -> None:
        request, duty = self._duty(pick)
        rules = CONTENT_RULES[kind]
        self.years += 1
        place = sorted(request.place)
        ids = [f"{place[0]}7"] + ([f"{place[-1]}8"] if second else [])
        lines: frozenset[Line] = frozenset(
            (one, str(self.years)) for one in ids if rules.features is not Holds.MUST_NOT
        )
        is_update = (duty.answer is not None) is not wrong
        files = [self.scene.keep_plan(self.years)] if file else []
        wanted = NewAnswer(
            kind, is_update, further_information="why", features=features([*lines]), attachments=files
        )
        made: list[UUID] = []

        def act(connection: Connection) -> None:
            made.append(give_answer(connection, duty.id, wanted, MANUAL_DUE).answer_id)

        def then() -> None:
            given = self.life.give(request, duty, kind, lines, MANUAL_DUE(duty.received), is_update=is_update)
            given.id = made[-1] if made else None
            given.files = frozenset((one.path, one.sha256) for one in files)
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

    # What is not shown to everybody

    @rule(dies=DIES)
    def keep_secret_or_not(self, dies: bool) -> None:  # noqa: FBT001 - drawn
        """The central owner marks its line w1 as restricted, or ends that: for what is asked from then on."""
        owner = self.scene.owners["central"]
        held = self.life.secrets.get(owner)
        made: list[UUID] = []

        def act(connection: Connection) -> None:
            if held:
                end_rule(connection, owner, held[0])
            else:
                made.append(make_rule(connection, owner, SECRET))

        def then() -> None:
            if held:
                del self.life.secrets[owner]
            else:
                self.life.secrets[owner] = (made[-1], SECRET.gml_ids)

        self._act(owner, act, then, dies=dies)

    @precondition(lambda self: self.life.withheld())
    @rule(pick=PICKS, deliver=st.booleans(), dies=DIES)
    def decide(self, pick: int, deliver: bool, dies: bool) -> None:  # noqa: FBT001 - drawn
        """The owner says whether withheld lines are delivered; once, and in time or not."""
        waiting = self.life.withheld()
        request, given = waiting[pick % len(waiting)]
        assert given.id is not None
        asked: UUID = given.id
        made: list[UUID] = []

        def act(connection: Connection) -> None:
            made.append(decide_withheld(connection, asked, deliver=deliver))

        def then() -> None:
            self.life.decide(request, given, made[-1] if made else None, deliver=deliver)

        self._act(given.owner, act, then, dies=dies)

    # Who acts for others

    @rule(pick=PICKS, dies=DIES)
    def give_or_end_a_mandate(self, pick: int, dies: bool) -> None:  # noqa: FBT001 - drawn
        """Somebody that digs or owns lets the agent act for it, or does so no longer."""
        givers = [*self.scene.cvrs]
        who = givers[pick % len(givers)]
        held = self.life.mandates.get(who)
        made: list[UUID] = []
        self.life.through_agent = False  # mandates are given and ended by oneself

        def act(connection: Connection) -> None:
            made.append(self.scene.mandate(connection, who, held))

        def then() -> None:
            if held:
                del self.life.mandates[who]
            else:
                self.life.mandates[who] = made[-1]

        self._act(who, act, then, dies=dies)

    @rule()
    def leave_it_to_the_agent_or_not(self) -> None:
        """From here on the agent acts for whoever acts, if it may."""
        self.life.through_agent = not self.life.through_agent
