"""Calls of the OGC API are counted in the process: a caller that calls too often is told to wait, others are not held up."""

from geoapi.ogc.counts import Counts
from geoapi.problems import ProblemException


def taken(counts: Counts, who: str, calls: int) -> int:
    """How many of so many calls are let through."""
    refused = []
    for _ in range(calls):
        try:
            counts.count(who)
        except ProblemException as refusal:
            refused.append(refusal.problem)
    assert {one.slug for one in refused} <= {"rate-limited"}
    assert all(int(one.headers["Retry-After"]) >= 1 for one in refused)
    return calls - len(refused)


def test_a_minute_has_so_many_calls_and_each_caller_its_own() -> None:
    counts = Counts(10)
    assert taken(counts, "a", 30) == 10
    assert taken(counts, "b", 10) == 10


def test_the_bucket_runs_dry_in_a_minute() -> None:
    seconds = iter([0.0] * 20 + [6.1] * 20 + [66.1] * 20)
    counts = Counts(10, lambda: next(seconds))
    assert [taken(counts, "a", 20) for _ in range(3)] == [10, 1, 10]


def test_headers_tell_what_is_left() -> None:
    counts = Counts(10)
    left = [int(counts.count("a")["RateLimit-Remaining"]) for _ in range(10)]
    assert left == [*range(9, -1, -1)]


def test_news_are_told_once_a_minute() -> None:
    seconds = iter([0.0, 1.0, 2.0, 61.0])
    counts = Counts(10, lambda: next(seconds))
    assert [counts.is_news(one) for one in ("x", "x", "y", "x")] == [True, False, True, True]


def test_whose_a_proved_secret_is_stays_known() -> None:
    counts = Counts(10)
    assert counts.whose("digest") is None
    counts.remember("digest", "organisation")
    assert counts.whose("digest") == "organisation"
