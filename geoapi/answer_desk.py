"""What owners are asked and answer, for programs of ours: in the own database, or at a service over HTTP.

Either side gives the documents of the API (`geoapi.answer_views`) and refuses with RefusedError.
"""

import mimetypes
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID, uuid4

from geoapi.answer_views import (
    PATH,
    AnswerFields,
    AppointmentFields,
    asked_view,
    given_view,
    revision_view,
)
from geoapi.answering import SentFile, enter_answer, prepare_answer
from geoapi.database import Databases
from geoapi.request_desk import called
from geoapi.stores import blob_store
from ler.client.connection import Connection
from ler.db.engine import transaction
from ler.domain.states import OWES_ANSWER
from ler.services.answer_links import make_answer_link
from ler.services.answers import (
    acknowledge,
    appoint,
    get_asked,
    list_asked,
    list_revisions,
    mark,
    withdraw_answer,
)
from ler.services.registry import Organisation
from ler.settings import Settings

type Document = dict[str, Any]


class Desk(Protocol):
    """Where an owner answers."""

    def list(self, limit: int, *, everything: bool) -> list[Document]:
        """Return what is asked, the newest first: what owes an answer, or everything."""

    def show(self, asked: UUID) -> Document:
        """Return one thing that is asked, with the answers that were given in `answers`."""

    def acknowledge(self, asked: UUID) -> Document:
        """Say that it was fetched."""

    def give(self, asked: UUID, fields: AnswerFields, gml: Path | None, files: Sequence[Path]) -> Document:
        """Answer it."""

    def withdraw(self, asked: UUID, reason: str) -> Document:
        """Take the answer back."""

    def appoint(self, asked: UUID, fields: AppointmentFields) -> Document:
        """Say when and where lines are pointed out."""

    def mark(self, asked: UUID, note: str) -> Document:
        """Say that lines were pointed out."""


@dataclass(frozen=True, slots=True)
class LocalDesk:
    """The own database, for one owner."""

    databases: Databases
    owner: Organisation
    settings: Settings
    language: Literal["da", "en"]

    def list(self, limit: int, *, everything: bool) -> list[Document]:
        """Return what is asked."""
        with transaction(self.databases.app, self.owner.id) as connection:
            states = None if everything else sorted(OWES_ANSWER)
            return [asked_view(one) for one in list_asked(connection, states=states, most=limit)]

    def show(self, asked: UUID) -> Document:
        """Return one thing that is asked."""
        with transaction(self.databases.app, self.owner.id) as connection:
            found = get_asked(connection, asked)
            revisions = [revision_view(one) for one in list_revisions(connection, found)]
            return asked_view(found) | {"answers": revisions}

    def acknowledge(self, asked: UUID) -> Document:
        """Say that it was fetched."""
        with transaction(self.databases.app, self.owner.id) as connection:
            return asked_view(acknowledge(connection, asked))

    def give(self, asked: UUID, fields: AnswerFields, gml: Path | None, files: Sequence[Path]) -> Document:
        """Answer it. AnswerRefusedError tells what is wrong with the GML."""
        prepared = prepare_answer(
            fields.answer(),
            gml,
            [SentFile(path.name, path) for path in files],
            owner_cvr=self.owner.cvr,
            store=blob_store(self.settings),
            settings=self.settings,
        )
        with transaction(self.databases.app, self.owner.id) as connection:
            given = enter_answer(connection, asked, prepared, self.settings)
        return given_view(given, prepared.warnings, self.language)

    def withdraw(self, asked: UUID, reason: str) -> Document:
        """Take the answer back."""
        with transaction(self.databases.app, self.owner.id) as connection:
            return asked_view(withdraw_answer(connection, asked, reason))

    def appoint(self, asked: UUID, fields: AppointmentFields) -> Document:
        """Say when and where lines are pointed out."""
        with transaction(self.databases.app, self.owner.id) as connection:
            return asked_view(appoint(connection, asked, fields.appointment()))

    def mark(self, asked: UUID, note: str) -> Document:
        """Say that lines were pointed out."""
        with transaction(self.databases.app, self.owner.id) as connection:
            return asked_view(mark(connection, asked, note))

    def link(self, asked: UUID) -> str:
        """Make a link by which it can be answered without an account; return its path."""
        with transaction(self.databases.app, self.owner.id) as connection:
            life = timedelta(hours=self.settings.answer_link_hours)
            return make_answer_link(connection, asked, life)


@dataclass(frozen=True, slots=True)
class RemoteDesk:
    """A service over HTTP, for the owner of the token that the client carries."""

    connection: Connection

    def list(self, limit: int, *, everything: bool) -> list[Document]:
        """Return what is asked."""
        params = {"limit": limit} | ({} if everything else {"state": "open"})
        found: list[Document] = self._call("GET", PATH, params=params)["owner_requests"]
        return found

    def show(self, asked: UUID) -> Document:
        """Return one thing that is asked."""
        return self._call("GET", f"{PATH}/{asked}") | self._call("GET", f"{PATH}/{asked}/answers")

    def acknowledge(self, asked: UUID) -> Document:
        """Say that it was fetched."""
        return self._call("POST", f"{PATH}/{asked}/acknowledge")

    def give(self, asked: UUID, fields: AnswerFields, gml: Path | None, files: Sequence[Path]) -> Document:
        """Answer it."""
        # One key for all tries of this call: an answer that came and was not told of is not given twice.
        headers = {"Idempotency-Key": uuid4().hex}
        path = f"{PATH}/{asked}/answers"
        body = fields.model_dump(mode="json", exclude_defaults=True)
        if gml is None and not files:
            return self._call("POST", path, json=body, headers=headers)
        named = [("gml", gml)] if gml else []
        named += [("attachment", file) for file in files]
        with ExitStack() as stack:
            parts = [
                (name, (file.name, stack.enter_context(file.open("rb")), _media_type(file)))
                for name, file in named
            ]
            data = {"answer": fields.model_dump_json(exclude_defaults=True)}
            return self._call("POST", path, data=data, files=parts, headers=headers)

    def withdraw(self, asked: UUID, reason: str) -> Document:
        """Take the answer back."""
        return self._call("POST", f"{PATH}/{asked}/withdraw", json={"reason": reason})

    def appoint(self, asked: UUID, fields: AppointmentFields) -> Document:
        """Say when and where lines are pointed out."""
        return self._call("PUT", f"{PATH}/{asked}/appointment", json=fields.model_dump(mode="json"))

    def mark(self, asked: UUID, note: str) -> Document:
        """Say that lines were pointed out."""
        return self._call("POST", f"{PATH}/{asked}/mark", json={"note": note})

    def _call(self, method: str, path: str, **more: Any) -> Document:  # noqa: ANN401 - handed on to httpx
        return called(self.connection, "There is no such owner request.", method, path, **more)


def _media_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
