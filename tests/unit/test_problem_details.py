"""What problem documents tell in detail is told in Danish too, and what stands in their gaps goes over unchanged."""

import json
import re
import string
import tomllib
from collections.abc import Iterator

import pytest
from pydantic_core import _pydantic_core
from starlette.requests import Request

from geoapi.danish import catalogue, in_language
from geoapi.problems import Problem, ProblemError, problem_response
from tests.message_templates import ROOT, sentences, texts

_GAP = re.compile(r"\{\w*\}")
_TOLD_BY_OTHERS = {
    "conflicts/clearances.py: '; '.join(faults)",
    "conflicts/clearances.py: _told(error)",
    "geoapi/app.py: one['msg']",
    "geoapi/damage_bodies.py: value",
    "geoapi/ogc/editing/areas.py: one['msg']",
    "geoapi/ogc/processes/jobs.py: job.problem",
    "geoapi/ogc/processes/running.py: *one",
    "geoapi/parameters.py: one['msg'].removeprefix('Value error, ')",
    "geoapi/problems.py: self.detail or kind.titles[language]",
    "geoapi/request_desk.py: told or 'the request cannot be read'",
    "geoapi/routes/answers.py: one['message']",
    "ingest/area_apart.py: told['message']",
    "ingest/drawings/make.py: told",
    "ler/domain/damages.py: message",
    "ler/domain/faults.py: '; '.join((fault.message for fault in faults))",
}
"""Places that hand on what was told elsewhere, by a framework or by a report that has its languages."""
_ONLY_IN_PYTHON = re.compile(
    r"instance of|callable|subclass|Python|frozen|Counter|OrderedDict|deque|mapping|complex|JSON input|"
    r"Invalid JSON|Object has no|Error (extracting|iterating)|iterable|sentinel|Ellipsis|argument|Arguments|"
    r"default factory|hashable|Fraction|fraction|Recursion|JsonOrPython|bytes|byte|Data should|Invalid datetime|"
    r"Timezone offset|timedelta|strict URL|UUID version|Input should be iterable|ASCII|tuple, list"
)
"""What pydantic says of values that JSON cannot bring, or of settings that no body of ours has."""


def in_danish(text: str) -> str:
    return in_language(text, "da")


def test_everything_told_over_http_has_danish() -> None:
    known = {_shape(one) for one in _english()}
    missing = [f"{one.place}: {one.text}" for one in sentences()[0] if one.text not in known]
    assert not missing, "write these into geoapi/problem_details:\n" + "\n".join(missing)


def test_nothing_told_is_overlooked() -> None:
    assert {f"{one.place}: {one.text}" for one in sentences()[1]} == _TOLD_BY_OTHERS


def test_what_pydantic_says_of_json_has_danish() -> None:
    known = {_shape(one) for one in _english()}
    said = {
        one.get("message_template_json") or one["message_template_python"]
        for one in _pydantic_core.list_all_errors()
    }
    wanted = {_shape(one) for one in said if not _ONLY_IN_PYTHON.search(one)}
    assert not wanted - known


def test_no_entry_is_left_over() -> None:
    ours = {one.text for one in sentences()[0]}
    held = "\0".join(texts())
    left = [
        english
        for english in _english("frameworks")
        if _shape(english) not in ours
        and max(re.split(r"\{\w+\}", english), key=len).strip(" (/:") not in held
    ]
    assert not left


@pytest.mark.parametrize("value", ["Ø7", "'Søvej 1, st.'", "12,5"])
def test_values_go_over_unchanged(value: str) -> None:
    for template in catalogue().templates:
        sentences_in_it = {name for _, name, how in template.pieces if how == "sentence"}
        values = {
            name: "a number is too large" if name in sentences_in_it else f"{value}{letter}"
            for letter, name in zip(string.ascii_uppercase, template.names, strict=False)
        }
        said = values | dict.fromkeys(sentences_in_it, "et tal er for stort")
        expected = "".join(text + (said[name] if name else "") for text, name, _ in template.pieces)
        assert in_danish(template.english.format(**values)) == expected


def test_what_is_not_known_is_told_as_it_is() -> None:
    for text in ("axes look odd", "", "; ", "{name}", "a" * 20_000):
        assert in_danish(text) == text


def test_a_sentence_within_a_sentence_is_told_too() -> None:
    told = "/row/2: the geometry is not valid (Self-intersection[1 2]): draw it anew"
    assert (
        in_danish(told)
        == "/row/2: geometrien er ikke gyldig (en kant krydser sig selv [1 2]): tegn den på ny"
    )
    assert in_danish("a whole number is not compared with a text (/args/1)") == (
        "et helt tal sammenlignes ikke med en tekst (/args/1)"
    )
    assert in_danish("there is no property x, only: a, b (character 4)") == (
        "der er ingen egenskab x, kun: a, b (tegn 4)"
    )
    assert in_danish("a.yaml, line 3, layers[0]: the key 'x' stands twice") == (
        "a.yaml, linje 3, layers[0]: nøglen 'x' står to gange"
    )
    assert in_danish("line 1: this is no GeoJSON: a Feature is wanted") == (
        "linje 1: det er ikke GeoJSON: der skal være en Feature"
    )
    assert in_danish("Value error, a cost is a number") == "en omkostning er et tal"
    assert in_danish("'x' is named twice; name at least one utility type; odd") == (
        "'x' er nævnt to gange; nævn mindst én forsyningsart; odd"
    )


def test_lists_have_danish_words_between() -> None:
    assert in_danish("there is image/png and image/svg+xml") == "der er image/png og image/svg+xml"
    assert in_danish("Input should be 'a', 'b' or 'c'") == "værdien skal være 'a', 'b' eller 'c'"


def test_what_a_caller_sent_is_not_read_as_a_sentence() -> None:
    sent = "a text; name at least one utility type"
    assert in_danish(f"{sent!r} is no such value") == f"{sent!r} er ikke en gyldig værdi"


@pytest.mark.parametrize(
    ("path", "query", "accept", "told"),
    [
        ("/api/v1/requests", b"", b"da", "<b> skal angives"),
        ("/api/v1/requests", b"lang=da", b"en", "<b> is needed"),
        ("/ogc/collections", b"lang=da", b"en", "<b> skal angives"),
        ("/ogc/collections", b"lang=en", b"da", "<b> is needed"),
        ("/ogc/collections", b"lang=xx", b"da", "<b> skal angives"),
    ],
)
def test_the_detail_is_told_in_the_language_of_the_answer(
    path: str, query: bytes, accept: bytes, told: str
) -> None:
    request = Request(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query,
            "headers": [(b"accept-language", accept), (b"accept", b"text/html")],
        }
    )
    errors = (ProblemError("input-missing", "<b> is needed"),)
    answer = problem_response(request, Problem("inputs-invalid", "<b> is needed", errors))
    document = json.loads(bytes(answer.body))
    assert document["detail"] == document["errors"][0]["detail"] == told


def _shape(english: str) -> str:
    return _GAP.sub("{}", re.sub(r"(\{\w*\})+", "{}", english))


def _english(without: str = "") -> Iterator[str]:
    for file in sorted((ROOT / "geoapi/problem_details").glob("*.toml")):
        if file.stem != without:
            yield from tomllib.loads(file.read_text(encoding="utf-8"))
