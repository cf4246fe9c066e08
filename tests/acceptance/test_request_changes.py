"""A request's life over HTTP: extended, given up, asked again; ended and erased by the sweep; and orders of many areas."""

from datetime import date, timedelta
from uuid import uuid4

import httpx
import pytest

from tests.requests import AREA, FIRST, ORDERS, PERIOD, REQUESTS, body, program, send, sent, shifted
from tests.service import Service, eventually, execute, stored
from tests.world import water_pipe

LATER = (date.fromisoformat(PERIOD["period_to"]) + timedelta(days=30)).isoformat()
VERY_LATE = (date.fromisoformat(LATER) + timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def asked(worked: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The service with a worker, and with two owners there, of which one has published its network."""
    worked.world.owner("31415926", "Nordby Vand", area=AREA.buffer(2000))
    pipe = water_pipe("a", (574990, 6224020, 10.0), (575050, 6224020, 10.0))
    worked.world.network("31415926", tmp_path_factory.mktemp("net"), pipe)
    worked.world.owner("27182818", "Sydby El", area=AREA.buffer(2000), utility_types=["el"])
    return worked


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def extend(http: httpx.Client, address: str, tag: str, day: str = LATER) -> httpx.Response:
    return http.patch(address, json={"period_to": day}, headers={"If-Match": tag})


def test_a_request_is_extended_by_who_has_seen_it_last(asked: Service) -> None:
    http = program(asked)
    address = f"{REQUESTS}/{sent(http)['id']}"
    first = http.get(address)
    assert problem(http.patch(address, json={"period_to": LATER})) == (428, "precondition-required")
    extended = extend(http, address, first.headers["ETag"])
    assert extended.status_code == 200, extended.text
    after = extended.json()
    assert (after["period_to"], after["revision"]) == (LATER, 2)
    assert after["price"] == first.json()["price"]
    assert after["owners"] == first.json()["owners"], "nobody is asked anew"
    assert problem(extend(http, address, first.headers["ETag"])) == (412, "precondition-failed")
    assert problem(extend(http, address, '"another"')) == (412, "precondition-failed")
    for day in (LATER, PERIOD["period_from"], (date.fromisoformat(LATER) + timedelta(days=900)).isoformat()):
        refused = extend(http, address, "*", day)
        assert refused.json()["errors"][0]["pointer"] == "/period_to", refused.text
    http.post(f"{address}/cancel")
    assert problem(extend(http, address, "*", VERY_LATE)) == (409, "event-not-possible")


def test_a_request_is_given_up_once_and_keeps_its_price(asked: Service) -> None:
    http = program(asked)
    receipt = sent(http)
    address = f"{REQUESTS}/{receipt['id']}"
    gone = http.post(f"{address}/cancel").json()
    assert (gone["state"], gone["revision"], gone["price"]) == ("cancelled", 2, receipt["price"])
    assert {area["state"] for owner in gone["owners"] for area in owner["areas"]} == {"cancelled"}
    assert [one["code"] for one in gone["warnings"]] == ["request-over"]
    assert problem(http.post(f"{address}/cancel")) == (409, "event-not-possible")


def test_a_request_is_asked_again_as_it_was(asked: Service) -> None:
    http = program(asked)
    old = sent(
        http, description="Stik", contact={"email": "a@b.dk", "person": "Ane"}, work={"kind": "repair"}
    )
    address = f"{REQUESTS}/{old['id']}"
    period = {"period_from": PERIOD["period_to"], "period_to": LATER}
    key = uuid4().hex
    renewed = send(http, period, key=key, path=f"{address}/renew")
    assert renewed.status_code == 201, renewed.text
    new = renewed.json()
    assert new["renews"] == old["id"]
    same = ("area", "purpose", "description", "contact", "work", "kind", "price")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert (new["period_from"], new["period_to"], new["order_number"]) == (
        *period.values(),
        old["order_number"] + 1,
    )
    assert send(http, period, key=key, path=f"{address}/renew").json() == new
    assert http.get(address).json()["state"] == "open", "the old one goes on"


def test_a_copy_may_say_anything_otherwise(asked: Service) -> None:
    http = program(asked)
    old = sent(http, description="Stik", order_reference="7")
    path = f"{REQUESTS}/{old['id']}/copy"
    other = body(shifted(300), kind="planning", description=None)
    copied = send(http, {name: value for name, value in other.items() if name != "purpose"}, path=path).json()
    assert (copied["kind"], copied["description"]) == ("planning", None)
    assert (copied["order_reference"], copied["purpose"]) == ("7", old["purpose"])
    assert copied["bbox"][0] == AREA.bounds[0] + 300
    assert copied["renews"] == old["id"]
    wrong = send(http, {**PERIOD, "purpose": " ", "contact": {"email": "x"}}, path=path).json()
    assert [one["pointer"] for one in wrong["errors"]] == ["/purpose", "/contact", "/contact/email"]


def test_a_renewal_is_free_only_where_the_operator_says_so(asked: Service) -> None:
    http = program(asked)
    old = sent(http)
    assert send(http, dict(PERIOD), path=f"{REQUESTS}/{old['id']}/renew").json()["price"]["amount"] == "35.00"


def order(*areas: dict[str, object], **more: object) -> dict[str, object]:
    return {**{name: value for name, value in body().items() if name != "area"}, "areas": [*areas], **more}


def test_an_order_enters_all_its_areas_with_one_receipt(asked: Service) -> None:
    http = program(asked)
    areas: list[dict[str, object]] = [
        {"area": body(shifted(200.0 * number))["area"], "description": f"grav {number}"}
        for number in range(5)
    ]
    key = uuid4().hex
    made = send(http, order(*areas), key=key, path=ORDERS)
    assert made.status_code == 201, made.text
    receipt = made.json()
    assert [one["description"] for one in receipt["requests"]] == [f"grav {number}" for number in range(5)]
    assert receipt["price"]["amount"] == "175.00"
    assert not receipt["all_answered"]
    assert all(len(one["owners"]) == 2 for one in receipt["requests"])
    assert send(http, order(*areas), key=key, path=ORDERS).json() == receipt
    assert http.get(made.headers["Location"]).json()["requests"] == receipt["requests"]
    listed = http.get(REQUESTS, params={"order": receipt["id"]}).json()["requests"]
    assert {one["id"] for one in listed} == {one["id"] for one in receipt["requests"]}


def test_one_fault_in_an_order_and_none_of_it_is_entered(asked: Service) -> None:
    http = program(asked)
    before = stored(asked)
    areas: list[dict[str, object]] = [
        {"area": body()["area"]},
        {"area_wkt": "POINT(1 2)"},
        {"area": body()["area"], "description": "x" * 101},
    ]
    told = send(http, order(*areas, purpose=" "), path=ORDERS).json()
    assert [(one["code"], one["pointer"]) for one in told["errors"]] == [
        ("purpose-missing", "/purpose"),
        ("geometry-type", "/areas/1/area_wkt"),
        ("description-invalid", "/areas/2/description"),
    ]
    too_many = send(http, order(*[areas[0]] * 101), path=ORDERS)
    assert (too_many.status_code, too_many.json()["errors"][0]["pointer"]) == (400, "/areas")
    assert stored(asked) == before


def test_a_request_ends_the_day_after_its_last_by_the_sweep(asked: Service) -> None:
    http = program(asked)
    over, lasting = sent(http)["id"], sent(http)["id"]
    days = (FIRST - timedelta(days=9), FIRST - timedelta(days=8))
    execute(
        asked, "UPDATE ler.excavation_request SET period_from = %s, period_to = %s WHERE id = %s", *days, over
    )
    execute(
        asked,
        "UPDATE ler.excavation_request SET period_from = d, period_to = d"
        " FROM (SELECT (now() AT TIME ZONE 'Europe/Copenhagen')::date AS d) AS today WHERE id = %s",
        lasting,
    )

    def ended() -> bool:
        return bool(http.get(f"{REQUESTS}/{over}").json()["state"] == "ended")

    eventually(ended)
    gone = http.get(f"{REQUESTS}/{over}").json()
    assert {area["state"] for owner in gone["owners"] for area in owner["areas"]} == {"ended"}
    assert http.get(f"{REQUESTS}/{lasting}").json()["state"] == "open", "its last day is today"
    assert problem(extend(http, f"{REQUESTS}/{over}", "*")) == (409, "event-not-possible")


def test_what_a_request_said_is_erased_ten_years_after(asked: Service) -> None:
    http = program(asked)
    contact = {"email": "ane@example.dk", "person": "Ane"}
    old = sent(http, description="Stik", contact=contact, order_reference="7", address_ids=[str(uuid4())])[
        "id"
    ]
    young = sent(http, description="Stik")["id"]
    for request, years in ((old, "10 years 1 day"), (young, "10 years")):
        execute(
            asked,
            "UPDATE ler.excavation_request SET period_from = d, period_to = d, state = 'ended'"
            " FROM (SELECT ((now() AT TIME ZONE 'Europe/Copenhagen') - %s::interval)::date AS d) AS x WHERE id = %s",
            years,
            request,
        )

    def erased() -> bool:
        return bool(http.get(f"{REQUESTS}/{old}").json()["state"] == "erased")

    eventually(erased)
    left = http.get(f"{REQUESTS}/{old}").json()
    assert (left["description"], left["contact"], left["order_reference"]) == (None, None, None)
    assert left["address_ids"] == []
    assert left["area_m2"] == 100_000_000.0
    assert left["bbox"] == [570000.0, 6220000.0, 580000.0, 6230000.0]
    assert left["owners"][1]["areas"][0]["answer_type"] == "ledningsoplysninger udleveret"
    with asked.world.database.connect() as connection:
        for table in ("package_feature", "package_drawing", "package"):
            rows = connection.execute(f"SELECT 1 FROM ler.{table} WHERE request_id = %s", [old])  # noqa: S608 - ours
            assert rows.fetchall() == [], table
    assert http.get(f"{REQUESTS}/{young}").json()["description"] == "Stik"
    assert problem(send(http, dict(PERIOD), path=f"{REQUESTS}/{old}/renew")) == (409, "event-not-possible")
