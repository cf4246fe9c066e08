"""What a process is: what goes in, what comes out, who may call it, and what it does.

Each process is a module beside this one with a constant `PROCESS`; `registry` names them all.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from geoapi.auth import acting
from geoapi.platform import Platform
from geoapi.problems import Language
from ler.domain.access import Scope
from ler.services.principals import Principal

type Schema = Mapping[str, Any]
"""A JSON Schema, draft 2020-12."""

type Results = Mapping[str, Any]
"""Outputs by name, as JSON; of binary ones the base64."""

type Tell = Callable[[int, str], None]
"""Told how far the work is, per cent, and what it is at; it raises to make the work stop."""


class Mode(StrEnum):
    """How a process may be run."""

    SYNC = "sync-execute"
    ASYNC = "async-execute"


@dataclass(frozen=True, slots=True)
class Value:
    """One input or output."""

    titles: Mapping[Language, str]
    schema: Schema
    required: bool = True
    """Of an input: whether it must be there. Each has one value at most; several are an array."""
    descriptions: Mapping[Language, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """In what a value is sent by itself."""
        told: str | None = self.schema.get("contentMediaType")
        return told or ("text/plain" if self.schema.get("type") == "string" else "application/json")

    @property
    def binary(self) -> bool:
        """Whether its JSON is the base64 of what it is."""
        return self.schema.get("contentEncoding") == "base64"


@dataclass(frozen=True, slots=True)
class Task:
    """One run: what a process works with."""

    platform: Platform
    caller: Principal
    """With the rights of this moment."""
    inputs: Mapping[str, Any]
    language: Language
    tell: Tell

    @contextmanager
    def acting(self) -> Iterator[Connection]:
        """Open a transaction in which the caller acts."""
        opened: AbstractContextManager[Connection] = acting(self.platform, self.caller)
        with opened as connection:
            yield connection


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """What can be run; it has either `work` or `enter`."""

    id: str
    version: str
    titles: Mapping[Language, str]
    descriptions: Mapping[Language, str]
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Value]
    scope: Scope | None = None
    """None: everybody sees it, and whoever has a token may run it."""
    modes: tuple[Mode, ...] = (Mode.SYNC, Mode.ASYNC)
    work: Callable[[Task], Results] | None = None
    """Works without changing anything, as long as it takes, in transactions of its own if it needs any."""
    enter: Callable[[Task, Connection], Results] | None = None
    """Changes something, in the transaction in which the job ends: both happen, or neither."""

    @property
    def asynchronous(self) -> bool:
        """Whether a worker may run it."""
        return Mode.ASYNC in self.modes

    @property
    def synchronous(self) -> bool:
        """Whether a call may wait for it."""
        return Mode.SYNC in self.modes
