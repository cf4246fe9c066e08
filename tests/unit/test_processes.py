"""Processes without a service: what they are, how a call is read, and what a caller would rather have."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from geoapi.ogc.processes.call import judged_inputs, pointing_into_inputs, read_call
from geoapi.ogc.processes.preference import preference_of
from geoapi.ogc.processes.process import Process
from geoapi.ogc.processes.registry import PROCESSES
from geoapi.problems import ProblemException
from ler.domain.faults import Fault, FaultsError

ECHO = PROCESSES["echo"]
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "processes.md"


@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_each_process_is_whole(process: Process) -> None:
    assert (process.work is None) != (process.enter is None)
    for value in (*process.inputs.values(), *process.outputs.values()):
        assert value.titles.keys() == {"da", "en"}
        Draft202012Validator.check_schema(dict(value.schema))
    assert process.titles.keys() == process.descriptions.keys() == {"da", "en"}


def test_the_page_names_each_process_its_scope_and_how_it_is_run() -> None:
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    told = {row[0]: (row[2], row[3]) for row in rows if len(row) == 4}
    assert told == {
        one.id: (
            str(one.scope) if one.scope else "any token",
            "at once, or as a job" if one.synchronous else "as a job",
        )
        for one in PROCESSES.values()
    }


@pytest.mark.parametrize(
    ("header", "by_worker", "applied"),
    [
        (None, False, None),
        ("respond-async", True, "respond-async"),
        (" Respond-Async ,wait=5", True, "respond-async, wait=5"),
        ("wait=600", True, "wait=30"),
        ('wait="7"', True, "wait=7"),
        ("wait=-1, wait=x", False, None),
        ("respond-sync, respond-async", False, "respond-sync"),
        ("return=minimal", False, None),
    ],
)
def test_preferences_are_followed_where_they_can_be(
    header: str | None, *, by_worker: bool, applied: str | None
) -> None:
    preference = preference_of(header)
    assert preference.by_worker(ECHO) is by_worker
    assert preference.applied(by_worker=by_worker).get("Preference-Applied") == applied
    # A process that only workers run is run by one, whatever is preferred.
    assert preference.by_worker(PROCESSES["check-network"])


def test_values_come_as_they_are_or_qualified() -> None:
    given = {
        "message": {"value": "hej", "mediaType": "text/plain"},
        "thing": {"value": 3, "other": 4},
        "bytes": "AAE",
    }
    assert judged_inputs(ECHO, given) == {"message": "hej", "thing": given["thing"], "bytes": "AAE="}


def test_what_is_missing_is_told() -> None:
    with pytest.raises(ProblemException) as refused:
        judged_inputs(PROCESSES["find-conflicts"], {})
    assert [(one.code, one.pointer) for one in refused.value.problem.errors] == [("input-missing", "/inputs")]


def test_outputs_that_are_not_named_are_all_of_them() -> None:
    for body in (b"{}", b'{"outputs": {}}'):
        call = read_call(ECHO, body, loopback=False)
        assert call.wanted == {"outputs": dict.fromkeys(ECHO.outputs, "value"), "response": None}
    call = read_call(ECHO, b'{"outputs": {"flag": {"transmissionMode": "reference"}}}', loopback=False)
    assert call.wanted["outputs"] == {"flag": "reference"}


def test_nobody_is_told_at_our_neighbours() -> None:
    body = b'{"subscriber": {"successUri": "https://127.0.0.1/x"}}'
    with pytest.raises(ProblemException) as refused:
        read_call(ECHO, body, loopback=False)
    assert [one.pointer for one in refused.value.problem.errors] == ["/subscriber/successUri"]


def test_faults_of_a_process_point_into_the_call() -> None:
    told = pointing_into_inputs(FaultsError([Fault("area-size", "/area", "too large")])).problem
    assert [(one.code, one.pointer) for one in told.errors] == [("area-size", "/inputs/area")]
