"""Owners' rules on lines that are not shown to everybody, and their word on what was withheld.

The transaction acts for the owner, or for the operator, whose rules hold for the networks of all owners and are shown to
nobody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from geoalchemy2.shape import from_shape, to_shape
from shapely import MultiPolygon
from sqlalchemy import func, select, text, update
from sqlalchemy.engine import Connection

from ler.db.functions import record_event, refusals
from ler.db.tables import (
    PLATFORM_OPERATOR,
    SRID,
    answer_withheld,
    organisation,
    owner_answer,
    sensitivity_rule,
    withheld_feature,
)
from ler.domain.faults import refuse_faults
from ler.domain.registration import text_faults
from ler.domain.sensitivity import SensitivityClass, SensitivityRule, class_of, rule_faults
from ler.errors import NotFoundError, RefusedError
from ler.model import Feature

LONGEST_REASON: Final = 500
_NAMED: Final = 20

_IN_FORCE: Final = text("SELECT * FROM ler.rules_in_force()").columns(*sensitivity_rule.c)
_DECIDE: Final = text("SELECT ler.decide_withheld(:answer, :deliver)")
_SHOWN: Final = text("SELECT requests, packages, links FROM ler.shown_despite(:rule)")
_END_LINKS: Final = text("SELECT ler.end_links_despite(:rule)")
_NO_RULE: Final = {"LE404": "There is no such rule."}
_UNDECIDABLE: Final[Mapping[str, str | tuple[str, str]]] = {
    "LE404": "There is no such answer.",
    "LE409": (
        "nothing-awaits-decision",
        "Nothing of this answer awaits your word: it was given, another answer holds now, or the request is over.",
    ),
}
_NAMES: Final = ("feature_types", "utility_types", "danger_classes", "gml_ids")


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule as it is kept. Moments are aware UTC."""

    id: UUID
    owner_id: UUID | None
    """None: the operator's, for all owners."""
    rule: SensitivityRule
    reason: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shown:
    """How much shows lines that a rule meets, since it was delivered before the rule."""

    requests: int
    """Valid."""
    packages: int
    """Of these requests, of each of their revisions."""
    links: int
    """That lead to packages, of requests that are over, too."""


@dataclass(frozen=True, slots=True)
class WithheldLine:
    """A feature of the own network that was not shown."""

    gml_id: str
    sensitivity: SensitivityClass
    inside: bool
    """Whether it would have been delivered; else it only lies in a cell that the dig touches."""


@dataclass(frozen=True, slots=True)
class WithheldAnswer:
    """An answer of the own organisation that did not show all."""

    answer_id: UUID
    request_id: UUID
    requester: str
    """Who asks, by name."""
    requester_id: UUID
    answer_type: str
    answered_at: datetime
    awaits_owner: bool
    features: int
    """Delivered."""


def make_rule(
    connection: Connection, owner_id: UUID | None, rule: SensitivityRule, *, reason: str = ""
) -> UUID:
    """Make a rule for the own network, or, the operator, for all (None); it holds for what is asked from now on.

    FaultsError for one that means nothing.
    """
    refuse_faults([*rule_faults(rule), *text_faults("/reason", reason, LONGEST_REASON, empty=True)])
    values: dict[str, Any] = {name: sorted(getattr(rule, name)) or None for name in _NAMES}
    values |= {
        "owner_id": owner_id,
        "class": rule.sensitivity.value,
        "area": None if rule.area is None else from_shape(rule.area, srid=SRID),
        "reason": reason.strip(),
    }
    made: UUID = connection.execute(
        sensitivity_rule.insert().values(values).returning(sensitivity_rule.c.id)
    ).scalar_one()
    details = {"class": rule.sensitivity.value}
    actor = owner_id or PLATFORM_OPERATOR
    record_event(connection, "owner:sensitivity_rule:add", actor=actor, object_id=made, details=details)
    return made


def end_rule(connection: Connection, actor: UUID, rule_id: UUID) -> None:
    """End a rule; what it withheld before stays as it was told. NotFoundError for none, another's, one that ended."""
    columns = sensitivity_rule.c
    ended = update(sensitivity_rule).where(columns.id == rule_id, columns.ended_at.is_(None))
    if connection.execute(ended.values(ended_at=func.now())).rowcount == 0:
        raise NotFoundError("There is no such rule.")
    record_event(connection, "owner:sensitivity_rule:end", actor=actor, object_id=rule_id)


def count_shown(connection: Connection, rule_id: UUID) -> Shown:
    """Return what shows lines that a rule of the acting organisation meets; NotFoundError for none, or another's."""
    with refusals(_NO_RULE):
        return Shown(*connection.execute(_SHOWN, {"rule": rule_id}).one())


def end_links(connection: Connection, rule_id: UUID) -> int:
    """End the links to packages that show lines which a rule meets, and tell their makers; return how many.

    NotFoundError as `count_shown`.
    """
    with refusals(_NO_RULE):
        ended: int = connection.execute(_END_LINKS, {"rule": rule_id}).scalar_one()
    return ended


def list_rules(connection: Connection, *, ended: bool = False) -> list[KeptRule]:
    """Return the acting organisation's rules, the newest first; also those that were ended, if wished."""
    columns = sensitivity_rule.c
    query = select(sensitivity_rule).order_by(columns.created_at.desc(), columns.id)
    if not ended:
        query = query.where(columns.ended_at.is_(None))
    return [
        KeptRule(row.id, row.owner_id, _rule(row), row.reason, row.created_at, row.ended_at)
        for row in connection.execute(query)
    ]


def rules_in_force(connection: Connection) -> list[SensitivityRule]:
    """Return the rules by which a file of the acting owner is judged: its own and the operator's."""
    return [_rule(row) for row in connection.execute(_IN_FORCE)]


def refuse_forbidden(connection: Connection, features: Sequence[Feature]) -> None:
    """RefusedError `line-forbidden`, naming them, for features of the acting owner that must never be stored."""
    rules = [rule for rule in rules_in_force(connection) if rule.sensitivity is SensitivityClass.NEVER]
    named = [one.gml_id for one in features if rules and class_of(rules, one) is SensitivityClass.NEVER]
    if named:
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        raise RefusedError(
            "line-forbidden",
            f"a rule says that these must never be in the register: {', '.join(named[:_NAMED])}{more}",
        )


def list_withheld(connection: Connection, *, waiting: bool = True) -> list[WithheldAnswer]:
    """Return the acting owner's answers that did not show all, the newest first; those only that await its word, if wished."""
    withheld, answer, asking = answer_withheld.c, owner_answer.c, organisation.c
    query = (
        select(
            *(answer.id, answer.request_id, answer.requester_id, asking.name, answer.answer_type),
            *(answer.answered_at, withheld.awaits_owner, answer.feature_count, answer.replaced_at),
        )
        .join(owner_answer, answer.id == withheld.answer_id)
        .join(organisation, asking.id == answer.requester_id)
        .where(answer.owner_id == func.ler.principal())
        .order_by(answer.answered_at.desc(), answer.id)
    )
    if waiting:
        query = query.where(withheld.awaits_owner, answer.replaced_at.is_(None))
    return [
        WithheldAnswer(
            answer_id=row.id,
            request_id=row.request_id,
            requester=row.name,
            requester_id=row.requester_id,
            answer_type=row.answer_type,
            answered_at=row.answered_at,
            awaits_owner=row.awaits_owner and row.replaced_at is None,
            features=row.feature_count,
        )
        for row in connection.execute(query)
    ]


def list_withheld_lines(connection: Connection, answer_id: UUID) -> list[WithheldLine]:
    """Return what of the own network an answer did not show, by gml:id. NotFoundError for another's answer."""
    columns = withheld_feature.c
    found = [
        WithheldLine(row.gml_id, SensitivityClass(row[1]), row.inside)
        for row in connection.execute(
            select(columns.gml_id, columns["class"], columns.inside)
            .where(columns.answer_id == answer_id)
            .order_by(columns.gml_id)
        )
    ]
    if not found:
        raise NotFoundError("There is no such answer.")
    return found


def decide_withheld(connection: Connection, answer_id: UUID, *, deliver: bool) -> UUID:
    """Say whether a requester gets the restricted lines of an answer; returns the answer that takes its place.

    NotFoundError for another's answer, RefusedError `nothing-awaits-decision` when the word is given or comes too late.
    """
    with refusals(_UNDECIDABLE):
        made: UUID = connection.execute(_DECIDE, {"answer": answer_id, "deliver": deliver}).scalar_one()
    return made


def _rule(row: Any) -> SensitivityRule:  # noqa: ANN401 - a row of the table
    named = {name: frozenset(getattr(row, name) or ()) for name in _NAMES}
    area = None if row.area is None else to_shape(row.area)
    if area is not None and not isinstance(area, MultiPolygon):
        raise TypeError(area.geom_type)
    return SensitivityRule(SensitivityClass(row._mapping["class"]), area=area, **named)  # noqa: SLF001 - a column named as a keyword
