"""Interest areas, edited by owners: a change enters the next revision under the same number (`ler.services.areas`)."""

from dataclasses import asdict
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from shapely.geometry.base import BaseGeometry

from geoapi.ogc.editing.editor import Acting, Values
from geoapi.problems import ProblemError, ProblemException
from ler.domain.access import Scope
from ler.domain.registration import AreaForm
from ler.errors import NotFoundError
from ler.services.areas import create_area, end_area, get_area, merged_area, revise_area

_ANSWERED_BY: Final = "answered_by"
_LONGEST_NUMBER: Final = 18
"""Digits that fit the database's whole numbers."""


class _Form(BaseModel):
    """The fields of an area, with the defaults of what is not said."""

    model_config = ConfigDict(extra="forbid", strict=True)

    utility_types: list[str]
    remark: str | None = ""
    contact_person: str | None = None
    contact_address: str | None = None
    contact_email: str | None = None
    voluntary: bool = False
    answered_by: str | None = None

    @property
    def form(self) -> AreaForm:
        values = self.model_dump(exclude={_ANSWERED_BY})
        return AreaForm(**values | {"utility_types": tuple(self.utility_types)})


class AreaEditor:
    """Edits `interest-areas`."""

    scope = Scope.REGISTER_WRITE
    writable = frozenset(_Form.model_fields)

    def create(self, acting: Acting, values: Values, geometry: BaseGeometry) -> str:
        """Enter an area: whoever digs there asks its owner from now on."""
        read, organisation = _read(values), acting.caller.organisation_id
        area = merged_area([geometry], acting.settings.coverage)
        made = create_area(
            acting.connection, organisation, organisation, read.form, area, answered_by=read.answered_by
        )
        return str(made.registration_number)

    def replace(
        self, acting: Acting, item: str, values: Values, geometry: BaseGeometry, version: int
    ) -> None:
        """Enter the next revision."""
        self._revise(acting, item, values, geometry, version)

    def change(
        self, acting: Acting, item: str, patch: Values, geometry: BaseGeometry | None, version: int
    ) -> None:
        """Enter the next revision, of which the patch names what is different; null takes a value away."""
        before = get_area(acting.connection, _number(item))
        said: dict[str, Any] = asdict(before.form) | {_ANSWERED_BY: before.answered_by}
        said["utility_types"] = [*before.utility_types]
        changed = {name: value for name, value in (said | dict(patch)).items() if value is not None}
        self._revise(acting, item, changed, geometry, version)

    def end(self, acting: Acting, item: str, version: int) -> None:
        """End an area; it stays on record."""
        end_area(acting.connection, acting.caller.organisation_id, _number(item), seen=version)

    def _revise(
        self, acting: Acting, item: str, values: Values, geometry: BaseGeometry | None, version: int
    ) -> None:
        read = _read(values)
        area = None if geometry is None else merged_area([geometry], acting.settings.coverage)
        revise_area(
            acting.connection,
            acting.caller.organisation_id,
            _number(item),
            read.form,
            area,
            answered_by=read.answered_by,
            seen=version,
        )


def _read(values: Values) -> _Form:
    try:
        return _Form.model_validate(dict(values))
    except ValidationError as error:
        errors = [
            ProblemError("field-invalid", one["msg"], "/properties/" + "/".join(map(str, one["loc"])))
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise ProblemException("field-invalid", errors=errors) from None


def _number(item: str) -> int:
    if not item.isascii() or not item.isdigit() or len(item) > _LONGEST_NUMBER:
        raise NotFoundError("There is no such interest area.")
    return int(item)
