"""Planned works, edited by those whose they are; what clashes with them is found anew at once (`geoapi.works_desk`)."""

from typing import Final
from uuid import UUID

from shapely.geometry.base import BaseGeometry

from geoapi.ogc.editing.editor import Acting, Values
from geoapi.works_desk import WorksDesk
from ler.domain.access import Scope
from ler.domain.work_record import WORK_FIELDS
from ler.errors import NotFoundError
from ler.services.requests import today_of

_BASE: Final = "/properties"


class WorkEditor:
    """Edits `planned-works`."""

    scope = Scope.WORK_WRITE
    writable = frozenset(WORK_FIELDS)

    def create(self, acting: Acting, values: Values, geometry: BaseGeometry) -> str:
        """Enter a work."""
        made = _desk(acting).create(
            acting.connection, acting.caller.organisation_id, values, geometry, base=_BASE
        )
        return str(made.work.work.id)

    def replace(
        self, acting: Acting, item: str, values: Values, geometry: BaseGeometry, version: int
    ) -> None:
        """Say a work anew."""
        _desk(acting).replace(
            acting.connection,
            acting.caller.organisation_id,
            _id(item),
            values,
            geometry,
            expected_version=version,
            base=_BASE,
        )

    def change(
        self, acting: Acting, item: str, patch: Values, geometry: BaseGeometry | None, version: int
    ) -> None:
        """Change a work."""
        _desk(acting).change(
            acting.connection,
            acting.caller.organisation_id,
            _id(item),
            patch,
            geometry=geometry,
            expected_version=version,
            base=_BASE,
        )

    def end(self, acting: Acting, item: str, version: int) -> None:
        """End a work; it stays on record."""
        _desk(acting).end(
            acting.connection, acting.caller.organisation_id, _id(item), expected_version=version
        )


def _desk(acting: Acting) -> WorksDesk:
    return WorksDesk(acting.settings, today_of(acting.connection))


def _id(item: str) -> UUID:
    try:
        return UUID(item)
    except ValueError:
        raise NotFoundError("There is no such work.") from None
