"""Works and restrictions changed, and what clashes with them found anew, in the transaction of the change.

One for the commands and for HTTP: whoever changes works goes this way, so that no conflict is missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection

from conflicts.work_conflict_store import Refreshed, refresh_work_conflicts
from ler.domain.calendar import WorkingCalendar
from ler.domain.faults import refuse_faults
from ler.domain.restrictions import Restriction
from ler.domain.work_record import Values
from ler.domain.works import PlannedWork
from ler.rules_in_force import calendar_between, work_rules
from ler.services.restrictions import (
    StoredRestriction,
    end_restriction,
    enter_restrictions,
    judged_restriction,
)
from ler.services.work_conflicts import KeptConflict
from ler.services.works import StoredWork, change_work, create_work, end_work, enter_works, replace_work
from ler.settings import Settings

NOTHING: Final = Refreshed((), (), ())


@dataclass(frozen=True, slots=True)
class Changed:
    """A work after a change, and what became of its conflicts."""

    work: StoredWork
    conflicts: Refreshed


class WorksDesk:
    """Takes in works by the rules of the settings, on a legal day; each transaction acts for the organisation given.

    Errors are those of `ler.services.works` and `ler.services.restrictions`.
    """

    def __init__(self, settings: Settings, today: date) -> None:
        self.rules = work_rules(settings, today)
        self._settings = settings

    def create(
        self,
        connection: Connection,
        organisation_id: UUID,
        values: Values,
        geometry: BaseGeometry,
        *,
        base: str = "",
    ) -> Changed:
        """Enter a work; `base` is the JSON pointer to its values."""
        made = create_work(connection, organisation_id, values, geometry, rules=self.rules, base=base)
        return self._looked_at(connection, made)

    def replace(
        self,
        connection: Connection,
        organisation_id: UUID,
        work_id: UUID,
        values: Values,
        geometry: BaseGeometry,
        *,
        expected_version: int,
        base: str = "",
    ) -> Changed:
        """Say a work anew."""
        made = replace_work(
            connection,
            organisation_id,
            work_id,
            values,
            geometry,
            rules=self.rules,
            expected_version=expected_version,
            base=base,
        )
        return self._looked_at(connection, made)

    def change(
        self,
        connection: Connection,
        organisation_id: UUID,
        work_id: UUID,
        patch: Values,
        *,
        geometry: BaseGeometry | None = None,
        expected_version: int,
        base: str = "",
    ) -> Changed:
        """Change what a merge patch names."""
        made = change_work(
            connection,
            organisation_id,
            work_id,
            patch,
            rules=self.rules,
            geometry=geometry,
            expected_version=expected_version,
            base=base,
        )
        return self._looked_at(connection, made)

    def end(
        self, connection: Connection, organisation_id: UUID, work_id: UUID, *, expected_version: int
    ) -> Changed:
        """Take a work out of what is planned."""
        made = end_work(connection, organisation_id, work_id, expected_version=expected_version)
        return self._looked_at(connection, made)

    def enter(
        self, connection: Connection, organisation_id: UUID, works: Sequence[PlannedWork], *, source: str
    ) -> list[UUID]:
        """Enter works of a file in which no fault was found; their ids. Their conflicts are yet to be looked at."""
        return enter_works(connection, organisation_id, works, source=source)

    def restrict(
        self,
        connection: Connection,
        organisation_id: UUID,
        values: Values,
        geometry: BaseGeometry,
        *,
        base: str = "",
    ) -> tuple[UUID, Refreshed]:
        """Enter one restriction; its id, and the conflicts that came up."""
        wanted, faults = judged_restriction(
            values, geometry, organisation_id, coverage=self.rules.coverage, base=base
        )
        refuse_faults(faults)
        ids, conflicts = self.enter_restrictions(connection, organisation_id, [wanted] if wanted else [])
        return ids[0], conflicts

    def enter_restrictions(
        self,
        connection: Connection,
        organisation_id: UUID,
        restrictions: Sequence[Restriction],
        *,
        source: str | None = None,
    ) -> tuple[list[UUID], Refreshed]:
        """Enter restrictions of a file in which no fault was found."""
        ids = enter_restrictions(connection, organisation_id, restrictions, source=source)
        return ids, self.look_at(connection, {*ids})

    def end_restriction(
        self, connection: Connection, organisation_id: UUID, restriction_id: UUID, *, expected_version: int
    ) -> StoredRestriction:
        """End a restriction, and its conflicts."""
        ended = end_restriction(
            connection, organisation_id, restriction_id, expected_version=expected_version
        )
        self.look_at(connection, {restriction_id})
        return ended

    def look_at(self, connection: Connection, things: set[UUID] | None) -> Refreshed:
        """Find the conflicts of these works and restrictions anew; None: of all, which the operator may do."""
        if things is not None and not things:
            return NOTHING
        return refresh_work_conflicts(
            connection,
            things,
            calendar_between=self._calendar,
            adjacent_m=self._settings.adjacent_works_m,
        )

    def _calendar(self, first: date, last: date) -> WorkingCalendar:
        return calendar_between(self._settings, first, last)

    def _looked_at(self, connection: Connection, made: StoredWork) -> Changed:
        return Changed(made, self.look_at(connection, {made.work.id}))


def conflict_row(kept: KeptConflict) -> dict[str, Any]:
    """Return what commands and HTTP tell of what clashes, without where."""
    return {
        "id": str(kept.id),
        "kind": kept.kind.value,
        "work": str(kept.work_id),
        "other_work": str(kept.other_work_id) if kept.other_work_id else None,
        "restriction": str(kept.restriction_id) if kept.restriction_id else None,
        "distance_m": round(kept.distance_m, 3),
        "first_day": kept.first_day.isoformat(),
        "last_day": kept.last_day.isoformat(),
        "certain": kept.certain,
        "state": kept.state.value,
        "is_conflict": kept.is_conflict,
        "note": kept.note,
    }
