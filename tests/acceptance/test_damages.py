"""Damages over HTTP: reported, refused with every fault in its place, counted for everybody."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from ler.domain.roles import Role
from tests.acceptance.guard_rows.damages import DAMAGE, DAMAGES
from tests.service import Client, Service

STATISTICS = f"{DAMAGES}/statistics"


def report(client: Client, path: str = DAMAGES, *, key: str = "", **more: Any) -> httpx.Response:  # noqa: ANN401 - arguments of httpx
    headers = {"Idempotency-Key": key or uuid4().hex} | more.pop("headers", {})
    return client.http.post(path, headers=headers, **more)


def csv(client: Client, text: str | bytes) -> httpx.Response:
    return report(client, f"{DAMAGES}/bulk", content=text, headers={"Content-Type": "text/csv"})


def faults(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return {(one["code"], one["pointer"]) for one in answer.json()["errors"]}


def test_a_damage_is_reported_once_shown_and_withdrawn(service: Service) -> None:
    program = service.program()
    whole = DAMAGE | {
        "date_is": "discovered",
        "caused_by_cvr": "12345678",
        "caused_by_name": "Gravefirma ApS",
        "order_number": 3383910,
        "gml_id": "pipe.1",
        "environment": "slight",
        "repair_cost": 12500.5,
        "administration_cost": "300",
        "description": "Skovl ramte røret",
    }
    made = report(program, json=whole, key="one")
    assert made.status_code == 201, made.text
    told = made.json()
    assert {name: told[name] for name in whole if name not in {"place", "administration_cost"}} == {
        name: value for name, value in whole.items() if name not in {"place", "administration_cost"}
    }
    assert (told["administration_cost"], told["place"]["coordinates"]) == (300, [575000, 6224000])
    again = report(program, json=whole, key="one")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (told, "true")
    assert faults(report(program, json=whole)) == {("damage-reference", "/reference")}
    assert program.http.get(made.headers["Location"]).json() == told
    assert program.http.get(DAMAGES).json() == {"damages": [told]}

    withdrawn = program.http.post(f"{made.headers['Location']}/withdraw")
    assert withdrawn.json()["withdrawn_at"]
    assert program.http.post(f"{made.headers['Location']}/withdraw").status_code == 409
    assert report(program, json=whole).status_code == 201, "the reference is free again"
    assert report(program, json=whole, headers={"Idempotency-Key": ""}).status_code == 400


def test_every_fault_is_told_in_its_place_and_nothing_is_kept(service: Service) -> None:
    program = service.program()
    wrong = DAMAGE | {
        "utility_type": "mælk",
        "happened_on": "2019-12-31",
        "cause": "aliens",
        "caused_by": "private",
        "caused_by_name": "Jens Jensen",
        "caused_by_cvr": "1234",
        "environment": "huge",
        "repair_cost": -1,
        "reference": " ",
        "description": "a\nb",
    }
    expected = {
        *(("damage-code", f"/{name}") for name in ("cause", "environment")),
        *(("text-invalid", f"/{name}") for name in ("reference", "description")),
        *(("utility-type-unknown", "/utility_type"), ("damage-date", "/happened_on")),
        *(("cvr-invalid", "/caused_by_cvr"), ("damage-private-person", "/caused_by_name")),
        ("damage-cost", "/repair_cost"),
    }
    assert faults(report(program, json=wrong)) == expected
    bulk = report(program, f"{DAMAGES}/bulk", json={"damages": [DAMAGE, wrong, DAMAGE]})
    assert faults(bulk) == {
        *((code, f"/damages/1{pointer}") for code, pointer in expected),
        ("damage-reference", "/damages/2/reference"),
    }
    for place in ({"type": "Point", "coordinates": [12.5, 55.7]}, {"type": "Point", "coordinates": []}, {"type": "Point", "coordinates": ["x", 1]}):  # fmt: skip
        assert faults(report(program, json=DAMAGE | {"place": place})) == {("geometry-invalid", "/place")}
    for name, value in (("happened_on", "2026-02-30"), ("repair_cost", True), ("repair_cost", 0.001), ("order_number", 2**63), ("place", None), ("extra", 1)):  # fmt: skip
        assert report(program, json=DAMAGE | {name: value}).status_code == 400, name
    assert program.http.get(DAMAGES).json() == {"damages": []}


def test_a_year_comes_as_one_file_or_not_at_all(service: Service) -> None:
    program = service.program()
    header = "reference;utility_type;happened_on;east;north;cause;caused_by;repair_cost"
    rows = [
        f"S-{number};el;2025-03-{number + 1:02};575000.5;6224000;other;excavator;100.25"
        for number in range(20)
    ]
    made = csv(program, "\ufeff" + "\r\n".join([header, *rows, ""]))
    assert made.status_code == 201, made.text
    assert len(made.json()["damages"]) == 20
    page = program.http.get(DAMAGES, params={"limit": "15", "year": "2025"}).json()
    rest = program.http.get(page["next"]).json()
    ids = [one["id"] for one in page["damages"] + rest["damages"]]
    assert sorted(ids) == sorted(made.json()["damages"])
    assert "next" not in rest
    assert page["damages"][0]["repair_cost"] == 100.25
    assert program.http.get(DAMAGES, params={"year": "2024"}).json() == {"damages": []}

    broken = [
        header,
        "T-1;el;2025-03-01;575000,5;6224000;other;excavator;1_0",
        "T-2;;2025-3-1;575000;6224000;other;excavator;",
        "T-3;el;2025-03-01;575000;nan;other;excavator;1.005",
    ]
    assert faults(csv(program, "\n".join(broken))) == {
        ("field-invalid", f"/damages/{pointer}")
        for pointer in (
            "0/east",
            "0/repair_cost",
            "1/utility_type",
            "1/happened_on",
            "2/north",
            "2/repair_cost",
        )
    }
    for text, code in (
        ("reference;cause\nx;y", "csv-dialect"),
        (header + ";extra\n", "csv-dialect"),
        (header + "\na;b", "csv-dialect"),
        (header + '\n"a;b', "csv-dialect"),
        ("", "csv-dialect"),
        (header.encode() + b"\n\xe6", "encoding-invalid"),
    ):
        refused = csv(program, text)
        assert (refused.status_code, refused.json()["type"]) == (422, f"/problems/{code}")
    assert (
        report(program, f"{DAMAGES}/bulk", content="x", headers={"Content-Type": "text/html"}).status_code
        == 400
    )
    assert faults(csv(program, header + "\n")) == {("damage-count", "/damages")}


def test_a_year_without_damages_is_stated_until_one_is_found(service: Service) -> None:
    program = service.program()

    def year(number: int) -> dict[str, Any]:
        years = program.http.get(f"{DAMAGES}/years").json()["years"]
        return next(one for one in years if one["year"] == number)

    assert year(2024) == {
        "year": 2024,
        "damages": 0,
        "no_damages": False,
        "reported": False,
        "due_before": "2025-03-01",
    }
    for _ in range(2):
        stated = program.http.put(f"{DAMAGES}/years", json={"year": 2024, "no_damages": True})
        assert (
            stated.json()
            == year(2024)
            == {"year": 2024, "damages": 0, "no_damages": True, "reported": True, "due_before": "2025-03-01"}
        )
    found = report(program, json=DAMAGE | {"happened_on": "2024-07-01", "date_is": "discovered"})
    assert found.status_code == 201
    assert (year(2024)["damages"], year(2024)["no_damages"]) == (1, False)
    assert program.http.put(f"{DAMAGES}/years", json={"year": 2024, "no_damages": True}).status_code == 409
    for wrong in (2019, 2026, 2030):
        assert faults(program.http.put(f"{DAMAGES}/years", json={"year": wrong, "no_damages": True})) == {
            ("damage-year", "/year")
        }
    assert program.http.put(f"{DAMAGES}/years", json={"year": 2023, "no_damages": False}).status_code == 400
    assert program.http.put(f"{DAMAGES}/years", json={"year": "x", "no_damages": True}).status_code == 400


def test_everybody_gets_counts_and_supervision_gets_the_reports(service: Service) -> None:
    one, two, public = service.program(), service.program(), service.client(None)
    for client, kind, cause in (
        (one, "gas", "no-request"),
        (two, "gas", "no-request"),
        (two, "other: brint", "too-shallow"),
    ):
        made = report(
            client,
            json=DAMAGE
            | {"reference": uuid4().hex, "utility_type": kind, "cause": cause, "happened_on": "2021-06-01"},
        )
        assert made.status_code == 201, made.text
    gone = report(one, json=DAMAGE | {"reference": uuid4().hex, "happened_on": "2021-06-02"})
    one.http.post(f"{gone.headers['Location']}/withdraw")
    one.http.put(f"{DAMAGES}/years", json={"year": 2022, "no_damages": True})

    counted = public.http.get(
        STATISTICS, params={"from": "2021", "to": "2022"}, headers={"Accept-Language": "da"}
    )
    assert counted.json()["counts"] == [
        {
            "year": 2021,
            "utility_type": "gas",
            "cause": "no-request",
            "text": "Der var ikke spurgt, før der blev gravet",
            "damages": 2,
        },
        {
            "year": 2021,
            "utility_type": "other",
            "cause": "too-shallow",
            "text": "Ledningen lå højere, end den skulle",
            "damages": 1,
        },
    ]
    owners = {row["year"]: row for row in counted.json()["owners"]}
    assert (owners[2021]["with_damages"], owners[2021]["without_damages"]) == (2, 0)
    assert (owners[2022]["with_damages"], owners[2022]["without_damages"]) == (0, 1)
    table = public.http.get(
        STATISTICS, params={"from": "2021", "to": "2021"}, headers={"Accept": "text/csv"}
    ).text
    assert table == "year,utility_type,cause,damages\r\n2021,gas,no-request,2\r\n2021,other,too-shallow,1\r\n"
    assert public.http.get(f"{DAMAGES}/codes").json()["inferred"] is True
    assert public.http.get(STATISTICS, params={"from": "2022", "to": "2021"}).status_code == 422
    assert public.http.get(STATISTICS, params={"from": "1999"}).status_code == 400

    def seen(role: Role) -> int:
        client = service.client(service.token(service.world.requester("Tilsyn", role=role)))
        return len(client.http.get(DAMAGES, params={"year": "2021", "limit": "1000"}).json()["damages"])

    assert seen(Role.AUDITOR) == 4
    assert seen(Role.AUTHORITY) == 4
    assert seen(Role.EXCAVATOR) == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_anothers_damage_is_not_there(service: Service, method: str) -> None:
    made = report(service.program(), json=DAMAGE)
    path = made.headers["Location"] + ("/withdraw" if method == "POST" else "")
    assert service.program().http.request(method, path).status_code == 404
    auditor = service.client(service.token(service.world.requester("Tilsyn", role=Role.AUDITOR)))
    assert auditor.http.request(method, path).status_code == (200 if method == "GET" else 403)
