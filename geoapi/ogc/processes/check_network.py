"""`check-network`: a file of a network against every rule, without anything being stored of it.

The file comes with the call, or is an upload of the caller's own that has arrived. What is wrong with it is the result;
a file that cannot be read at all is one of the things that can be wrong.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final
from uuid import UUID

from geoapi.ogc.processes.process import Mode, Process, Results, Task, Value
from ingest.check import CheckResult, check_source
from ingest.mapping import parse_mapping
from ingest.open_source import open_source
from ingest.readers.prolog import UnreadableFileError
from ingest.report.content import FileReport, worst
from ingest.report.to_json import json_report
from ingest.workshop import workshop
from ler.domain.access import Scope
from ler.domain.faults import Fault, FaultsError
from ler.domain.uploads import State
from ler.errors import NotFoundError, RefusedError
from ler.model import VERSIONS
from ler.services.uploads import get_upload

_SAID_EVERY_S: Final = 0.5
_BEGUN: Final = 5
_MOST: Final = 95
"""Per cent at most while features are still read: nobody knows how many come."""
_HALF_WAY: Final = 20_000
"""Features after which half of the way is told."""
_OUTCOMES: Final = ("clean", "findings", "unreadable")


@dataclass(frozen=True, slots=True)
class _Given:
    """The file, and how it is to be read."""

    path: Path
    name: str
    mapping: str | None = None
    crs: str | None = None


def _check(task: Task) -> Results:
    with _given(task) as given:
        try:
            report = FileReport(Path(given.name), _checked(task, given))
        except UnreadableFileError as refusal:
            report = FileReport(Path(given.name), None, refusal)
        except RefusedError as refusal:
            report = FileReport(Path(given.name), None, UnreadableFileError(refusal.code, str(refusal)))
    findings = report.result.findings if report.result else None
    summary = {
        "outcome": _OUTCOMES[worst([report])],
        "features": report.feature_count,
        "errors": findings.errors if findings else 0,
        "warnings": findings.warnings if findings else 0,
    }
    return {"summary": summary, "report": json_report([report], task.language)}


def _checked(task: Task, given: _Given) -> CheckResult:
    mapping = parse_mapping(given.mapping) if given.mapping is not None else None
    settings = task.platform.settings
    version = task.inputs.get("model")
    with open_source(
        given.path, mapping=mapping, crs=given.crs, settings=settings, version=version
    ) as source:
        return check_source(source, given.path, progress=_progress(task))


@contextmanager
def _given(task: Task) -> Iterator[_Given]:
    named = [name for name in ("file", "upload") if name in task.inputs]
    if len(named) != 1:
        code = "file-missing" if not named else "file-ambiguous"
        raise FaultsError([Fault(code, "/file", "give the file itself, or the id of an upload; one of them")])
    if named == ["upload"]:
        yield _uploaded(task, UUID(task.inputs["upload"]))
        return
    with workshop() as folder:
        path = folder / "file.gml"
        path.write_bytes(_content(task.inputs["file"]))
        yield _Given(path, path.name)


def _uploaded(task: Task, upload_id: UUID) -> _Given:
    try:
        with task.acting() as connection:
            upload = get_upload(connection, upload_id)
    except NotFoundError:
        raise FaultsError([Fault("upload-unknown", "/upload", "there is no such upload")]) from None
    path = task.platform.files.path(upload.id, upload.file_name)
    if upload.state is State.RECEIVING or not path.is_file():
        told = "the upload has not arrived whole" if upload.state is State.RECEIVING else "its file is gone"
        raise FaultsError([Fault("upload-without-file", "/upload", told)])
    return _Given(path, upload.file_name, upload.mapping, upload.crs)


def _content(given: str) -> bytes:
    """The bytes of a file that was sent as text, or as base64, in which `<` does not occur."""
    if given.lstrip("\ufeff \t\r\n").startswith("<"):
        return given.encode("utf-8")
    try:
        return b64decode(given, validate=True)
    except (Base64Error, ValueError):
        raise FaultsError([Fault("file-encoding", "/file", "it is neither GML nor base64")]) from None


def _progress(task: Task) -> Callable[[int], None]:
    words = {"en": "{} features checked", "da": "{} objekter kontrolleret"}[task.language]
    said_at = 0.0

    def progress(features: int) -> None:
        nonlocal said_at
        now = monotonic()
        if now - said_at >= _SAID_EVERY_S:
            said_at = now
            share = features / (features + _HALF_WAY)
            task.tell(_BEGUN + round(share * (_MOST - _BEGUN)), words.format(features))

    return progress


def _object(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of a schema
    return {"type": "object", "properties": properties, "required": [*properties]}


_COUNT: Final = {"type": "integer", "minimum": 0}

PROCESS: Final = Process(
    id="check-network",
    version="1.0.0",
    titles={"en": "Check of a network", "da": "Kontrol af et ledningsnet"},
    descriptions={
        "en": "Checks a file of lines and components against every rule of the LER model; nothing of it is stored.",
        "da": "Kontrollerer en fil med ledninger og komponenter efter alle LER-modellens regler; intet gemmes.",
    },
    inputs={
        "file": Value(
            {"en": "The file: GML as text, or as base64", "da": "Filen: GML som tekst eller som base64"},
            {"type": "string", "contentMediaType": "application/gml+xml"},
            required=False,
        ),
        "upload": Value(
            {"en": "Id of an upload that has arrived", "da": "Id på en upload, der er modtaget"},
            {"type": "string", "format": "uuid"},
            required=False,
        ),
        "model": Value(
            {"en": "Version of the model to check by", "da": "Version af modellen, der kontrolleres efter"},
            {"type": "string", "enum": [*VERSIONS]},
            required=False,
        ),
    },
    outputs={
        "summary": Value(
            {"en": "How much is wrong", "da": "Hvor meget der er galt"},
            _object(
                outcome={"type": "string", "enum": [*_OUTCOMES]},
                features=_COUNT,
                errors=_COUNT,
                warnings=_COUNT,
            ),
        ),
        "report": Value({"en": "Every finding", "da": "Alle fund"}, {"type": "object"}),
    },
    scope=Scope.NETWORK_UPLOAD,
    modes=(Mode.ASYNC,),
    work=_check,
)
