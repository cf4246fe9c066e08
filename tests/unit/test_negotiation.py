"""What a caller would like to have, and what every problem says."""

from http import HTTPStatus

import pytest

from geoapi.negotiation import language_of, media_type_of
from geoapi.problems import MOST_ERRORS, Problem, ProblemError, problem_of, problem_types
from ler.errors import LerError, NotFoundError, RefusedError, UnavailableError
from ler.services.tokens import TokenRefusedError

FORMS = ("application/json", "text/html", "application/geopackage+sqlite3")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("application/json;q=0.5, text/html;q=0.9", "text/html"),
        ("text/*", "text/html"),
        ("application/geopackage+sqlite3", FORMS[2]),
        ("application/json;q=0, */*", "text/html"),
        ("image/png", None),
        ("application/json;q=x", None),
        (",;,;q=", None),
    ],
)
def test_the_best_liked_form_is_given(accept: str | None, wanted: str | None) -> None:
    assert media_type_of(accept, FORMS) == wanted


def test_danish_is_given_to_who_prefers_it() -> None:
    assert language_of("da-DK,da;q=0.9,en;q=0.8") == "da"
    assert language_of("en-GB") == language_of(None) == language_of("da;q=0") == "en"


@pytest.mark.parametrize("slug", problem_types())
def test_every_problem_is_told_in_both_languages(slug: str) -> None:
    kind = problem_types()[slug]
    HTTPStatus(kind.status)
    assert kind.status >= 400
    for texts in (kind.titles, kind.remedies):
        assert {*texts} == {"da", "en"}
        assert texts["da"] != texts["en"]
        assert all(text == text.strip() and text for text in texts.values())


def test_an_unknown_refusal_keeps_its_code_and_names_a_page_that_exists() -> None:
    document = problem_of(RefusedError("brand-new", "axes look swapped")).document("da")
    assert document["type"] == "/problems/refused"
    assert document["status"] == 422
    assert document["errors"] == [{"code": "brand-new", "detail": "axes look swapped"}]


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (NotFoundError("the secret id 17"), "not-found"),
        (UnavailableError("/var/lib/ler/socket does not answer"), "unavailable"),
        (LerError("inner words"), "internal"),
        (ValueError("/etc/passwd"), "internal"),
        (TokenRefusedError(), "token-invalid"),
    ],
)
def test_what_is_not_the_callers_business_is_not_told(error: Exception, slug: str) -> None:
    document = problem_of(error).document("en")
    assert document["type"] == f"/problems/{slug}"
    assert "detail" not in document or slug == "token-invalid"


def test_of_many_errors_the_first_are_told_and_all_are_counted() -> None:
    errors = tuple(ProblemError("field-invalid", str(number), f"/{number}") for number in range(500))
    document = Problem("field-invalid", errors=errors).document("en")
    assert len(document["errors"]) == MOST_ERRORS
    assert document["errors_total"] == 500
