"""What a caller has left is told; who calls too often is told when to come again, and others are not held up."""

from ler.domain.access import Scope
from tests.service import UPLOADS, Service


def test_who_calls_too_often_waits_and_others_do_not(new_service: Service) -> None:
    new_service.settings |= {"LER_READS_PER_MINUTE": "5"}
    new_service.serve()
    owner = new_service.owner()
    first, second = (new_service.client(new_service.token(owner)).http for _ in range(2))
    answers = [(first, second)[number % 2].get(UPLOADS) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [int(answer.headers["RateLimit-Remaining"]) for answer in answers[:5]] == [4, 3, 2, 1, 0]
    assert answers[0].headers["RateLimit-Limit"] == "5, 5;w=60"
    assert answers[5].json()["type"] == "/problems/rate-limited"
    assert 1 <= int(answers[5].headers["Retry-After"]) <= 12
    assert new_service.program().http.get(UPLOADS).status_code == 200, "another organisation"
    refused = first.post(UPLOADS, json={})
    assert refused.status_code == 400, "another kind of call"
    with new_service.world.database.connect() as connection:
        rows = connection.execute(
            "SELECT actor FROM ler.audit_event WHERE action = 'auth:call:refuse'"
        ).fetchall()
    assert rows == [(owner,)]


def test_who_is_refused_too_often_is_told_so_and_what_is_in_order_goes_on(new_service: Service) -> None:
    new_service.settings |= {"LER_REFUSALS_PER_MINUTE": "3"}
    new_service.serve()
    owner = new_service.owner()
    good = new_service.client(new_service.token(owner)).http
    lacking = new_service.client(new_service.token(owner, Scope.AUDIT_READ)).http
    wrong = new_service.client("ler_pat_nonsense").http
    assert [wrong.get(UPLOADS).status_code for _ in range(5)] == [401] * 3 + [429] * 2
    assert [lacking.get(UPLOADS).status_code for _ in range(5)] == [403] * 3 + [429] * 2
    assert good.get(UPLOADS).status_code == 200
