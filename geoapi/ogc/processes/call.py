"""What a call of a process says: inputs, the outputs that are wanted and how, and who is to be told; read strictly.

Every fault is told with a JSON pointer into the body. Inputs are judged by the schemas that describe them, before
anything is entered or run.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

from geoapi.delivery.targets import check_target
from geoapi.ogc.processes.process import Process, Value
from geoapi.parameters import read_json
from geoapi.problems import ProblemError, ProblemException
from ler.domain.faults import FaultsError
from ler.errors import RefusedError
from ler.services.jobs import Callbacks

_MOST_WRONG: Final = 20
_LONGEST_DETAIL: Final = 300
_QUALIFIERS: Final = frozenset({"value", "mediaType", "encoding", "schema", "format"})

type Address = Annotated[str, Field(max_length=2000)]


class _OutputBody(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    transmission: Annotated[Literal["value", "reference"], Field(alias="transmissionMode")] = "value"


class _SubscriberBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    success: Annotated[Address | None, Field(alias="successUri")] = None
    in_progress: Annotated[Address | None, Field(alias="inProgressUri")] = None
    failed: Annotated[Address | None, Field(alias="failedUri")] = None


class _CallBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    inputs: dict[str, Any] = {}
    outputs: dict[str, _OutputBody] | None = None
    response: Literal["raw", "document"] | None = None
    subscriber: _SubscriberBody | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """An input that lies elsewhere."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came; its inputs are judged when what they refer to has been fetched."""

    inputs: Mapping[str, Any]
    references: tuple[Reference, ...]
    wanted: Mapping[str, Any]
    callbacks: Callbacks


def read_call(process: Process, body: bytes, *, loopback: bool) -> Call:
    """Return what a body says. A problem that points to what is wrong; RefusedError is never raised."""
    read = read_json(_CallBody, body)
    faults = [
        *(_unknown("inputs", name) for name in read.inputs if name not in process.inputs),
        *(_unknown("outputs", name) for name in read.outputs or () if name not in process.outputs),
        *_unusable_targets(read.subscriber, loopback=loopback),
    ]
    if faults:
        raise ProblemException("inputs-invalid", errors=faults)
    _check_finite(read.inputs)
    references = tuple(
        Reference(name, value["href"])
        for name, value in read.inputs.items()
        if isinstance(value, dict) and isinstance(value.get("href"), str)
    )
    # None named: all of them.
    outputs = read.outputs or {name: _OutputBody() for name in process.outputs}
    wanted = {
        "outputs": {name: one.transmission for name, one in outputs.items()},
        "response": read.response,
    }
    subscriber = read.subscriber or _SubscriberBody()
    callbacks = Callbacks(subscriber.success, subscriber.in_progress, subscriber.failed)
    return Call(read.inputs, references, wanted, callbacks)


def judged_inputs(process: Process, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of inputs, without what qualifies them. A problem for those that their schemas refuse."""
    faults: list[ProblemError] = [
        ProblemError("input-missing", f"{name} is needed", "/inputs")
        for name, one in process.inputs.items()
        if one.required and name not in given
    ]
    values = {}
    for name, value in given.items():
        values[name], wrong = _judged(process.inputs[name], value, f"/inputs/{name}")
        faults += wrong
    if faults:
        raise ProblemException("inputs-invalid", errors=faults[:_MOST_WRONG])
    return values


def pointing_into_inputs(error: FaultsError | ProblemException) -> ProblemException:
    """Return the problem of a process that refused its inputs, with pointers into the body of the call."""
    if isinstance(error, FaultsError):
        errors = [ProblemError(one.code, one.message, f"/inputs{one.pointer}") for one in error.faults]
        return ProblemException("request-refused", errors=errors)
    told = error.problem
    errors = [
        ProblemError(one.code, one.detail, f"/inputs{one.pointer}" if one.pointer else None)
        for one in told.errors
    ]
    return ProblemException(told.slug, told.detail, errors=errors, members=told.members)


def _check_finite(inputs: Mapping[str, Any]) -> None:
    """Refuse numbers like 1e999, which no JSON of ours could say again."""
    try:
        json.dumps(inputs, allow_nan=False)
    except ValueError:
        fault = ProblemError("input-invalid", "a number is too large", "/inputs")
        raise ProblemException("inputs-invalid", errors=[fault]) from None


def _judged(described: Value, given: Any, pointer: str) -> tuple[Any, list[ProblemError]]:  # noqa: ANN401 - any JSON
    """A value, which may come qualified (`value` beside its media type) or as it is."""
    forms = [given]
    if isinstance(given, dict) and "value" in given and given.keys() <= _QUALIFIERS:
        forms.insert(0, given["value"])
    first: list[ProblemError] = []
    for number, value in enumerate(forms):
        wrong = [*_wrong(described, value, pointer + ("/value" if value is not given else ""))]
        if not wrong:
            return (_padded(value) if described.binary else value), []
        first = first or wrong if number == 0 else first
    return given, first


def _wrong(described: Value, value: Any, pointer: str) -> Iterator[ProblemError]:  # noqa: ANN401 - any JSON
    checker = Draft202012Validator.FORMAT_CHECKER
    for error in Draft202012Validator(dict(described.schema), format_checker=checker).iter_errors(value):
        place = "".join(f"/{_escaped(part)}" for part in error.absolute_path)
        yield ProblemError("input-invalid", error.message[:_LONGEST_DETAIL], pointer + place)
    if described.binary and isinstance(value, str) and _decoded(value) is None:
        yield ProblemError("input-invalid", "it is no base64", pointer)


def _decoded(value: str) -> bytes | None:
    """What base64 stands for, with or without the padding at its end, which tells nothing."""
    try:
        return b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4), validate=True)
    except (Base64Error, ValueError):
        return None


def _padded(value: str) -> str:
    return b64encode(_decoded(value) or b"").decode("ascii")


def _unknown(where: str, name: str) -> ProblemError:
    code = "input-unknown" if where == "inputs" else "output-unknown"
    return ProblemError(code, "the process has none of that name", f"/{where}/{_escaped(name)}")


def _unusable_targets(subscriber: _SubscriberBody | None, *, loopback: bool) -> Iterator[ProblemError]:
    if subscriber is None:
        return
    for name, field in _SubscriberBody.model_fields.items():
        address = getattr(subscriber, name)
        if address is None:
            continue
        try:
            check_target(address, loopback=loopback)
        except RefusedError as refused:
            yield ProblemError(refused.code, str(refused), f"/subscriber/{field.alias}")


def _escaped(part: str | int) -> str:
    return str(part)[:100].replace("~", "~0").replace("/", "~1")
