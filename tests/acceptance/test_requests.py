"""Requests over HTTP: the price first, a receipt at once, lists and pages, one request, who was asked."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import shapely
from shapely import box
from shapely.geometry import mapping, shape

from ler.domain.roles import Role
from tests.area_files import FILES
from tests.requests import AREA, FIRST, PERIOD, REQUESTS, body, program, requester, send, sent, shifted
from tests.service import Service, stored
from tests.world import water_pipe

FAR = box(500000, 6200000, 500100, 6200100)
"""Where nobody has registered anything."""


@pytest.fixture(scope="module")
def asked(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The service with two owners there: one that has published its network, one that answers itself."""
    service.world.owner("31415926", "Nordby Vand", area=AREA.buffer(100))
    service.world.network(
        "31415926",
        tmp_path_factory.mktemp("net"),
        water_pipe("a", (574990, 6224020, 10.0), (575050, 6224020, 10.0)),
    )
    service.world.owner("27182818", "Sydby El", area=AREA.buffer(100), utility_types=["el"])
    return service


def test_a_request_is_answered_with_its_receipt(asked: Service) -> None:
    http = program(asked)
    contact = {"email": "ane@example.dk", "person": "Ane"}
    work = {"kind": "house-connection", "method": "directional-drilling", "depth_m": 1.2}
    answer = send(http, body(description="Stik", order_reference="2026-17", contact=contact, work=work))
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    assert answer.headers["Location"] == f"{REQUESTS}/{receipt['id']}"
    assert receipt["state"] == "open"
    assert receipt["revision"] == 1
    assert shape(receipt["area"]).equals(AREA)
    assert receipt["area_m2"] == 5000.0
    assert receipt["price"] == {"amount": "35.00", "currency": "DKK"}  # 5,000 m2 at 0.007 DKK
    assert receipt["period_to"] == PERIOD["period_to"]
    assert receipt["contact"]["person"] == "Ane"
    assert receipt["work"] == {**work, "kind_other": None}
    assert receipt["progress"] == {
        "owners": 2,
        "missing": 1,
        "late": 0,
        "to_be_marked": 0,
        "all_answered": False,
    }
    electricity, water = receipt["owners"]
    assert (electricity["name"], electricity["missing"], water["name"], water["missing"]) == (
        *("Sydby El", True),
        *("Nordby Vand", False),
    )
    assert electricity["phone"] == "12345678"
    (area,) = electricity["areas"]
    assert area["state"] == "asked"
    assert area["due_at"] > area["received_at"] == receipt["received_at"]
    assert water["areas"][0]["answer_type"] == "ledningsoplysninger udleveret"
    warning = receipt["warnings"][0]
    assert warning["code"] == "answers-missing"
    assert warning["detail"] == "DO NOT DIG: 1 owner missing of 2: Sydby El (12345678)"
    danish = http.get(answer.headers["Location"], headers={"Accept-Language": "da"}).json()
    assert danish["warnings"][0]["detail"].startswith("GRAV IKKE: 1 af 2 ledningsejere mangler at svare")


def test_the_price_is_told_and_nothing_is_kept(asked: Service) -> None:
    http = program(asked)
    before = stored(asked)
    told = http.post(f"{REQUESTS}/price", json=body()).json()
    assert told["price"]["amount"] == "35.00"
    assert told["price"]["price_per_m2"] == "0.007"
    assert not told["price"]["capped"]
    assert shape(told["area"]).equals(AREA)
    assert stored(asked) == before


def test_a_repeated_call_enters_nothing_twice(asked: Service) -> None:
    http = program(asked)
    key = uuid4().hex
    first, second = send(http, body(), key=key), send(http, body(), key=key)
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(http.get(REQUESTS).json()["requests"]) == 1
    other = send(http, body(purpose="noget andet"), key=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert http.post(REQUESTS, json=body()).json()["type"] == "/problems/idempotency-key-invalid"


BAD: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "several faults": (
        body(
            box(575000, 6224000, 576000, 6225000),
            purpose=" ",
            period_to="2020-01-01",
            utility_types=["gas", "slim"],
            order_reference="far too long for it",
            contact={"email": "nobody", "person": ""},
            work={"kind": "tunnelling", "depth_m": -1},
        ),
        [
            ("area-size", "/area"),
            ("period-invalid", "/period_to"),
            ("period-invalid", "/period_to"),
            ("purpose-missing", "/purpose"),
            ("utility-type-unknown", "/utility_types/1"),
            ("order-reference-invalid", "/order_reference"),
            ("contact-missing", "/contact"),
            ("email-invalid", "/contact/email"),
            ("work-kind-unknown", "/work/kind"),
            ("depth-invalid", "/work/depth_m"),
        ],
    ),
    "no area": (body(None), [("area-missing", "/area")]),
    "two areas": (body(area_wkt=AREA.wkt), [("area-ambiguous", "/area")]),
    "WKT": (body(None, area_wkt="POLYGON((1 2"), [("geometry-malformed", "/area_wkt")]),
    "a line without a width": (
        body({"type": "LineString", "coordinates": [[575000, 6224000], [575010, 6224000]]}),
        [("geometry-type", "/area")],
    ),
    "a corridor too wide": (body(corridor_width_m=61.0), [("corridor-width", "/corridor_width_m")]),
    "degrees": (body(box(10.1, 56.1, 10.2, 56.2)), [("crs-out-of-area", "/area")]),
    "apart": (
        body({"type": "MultiPolygon", "coordinates": [mapping(AREA)["coordinates"], mapping(shifted(500))["coordinates"]]}),
        [("area-not-one-polygon", "/area")],
    ),
    "no emergency": (body(already_started=True), [("started-without-emergency", "/already_started")]),
    "no declaration": (body(kind="orientation"), [("declaration-missing", "/declared")]),
    "other work unsaid": (body(work={"kind": "other"}), [("work-kind-other", "/work/kind_other")]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_every_fault_is_told_with_its_place_and_nothing_is_entered(asked: Service, case: str) -> None:
    wrong, faults = BAD[case]
    http = program(asked)
    before = stored(asked)
    answer = send(http, wrong)
    assert answer.status_code == 422, answer.text
    told = answer.json()
    assert told["type"] == "/problems/request-refused"
    assert [(one["code"], one["pointer"]) for one in told["errors"]] == faults
    assert stored(asked) == before
    asked_before = http.post(f"{REQUESTS}/price", json=wrong).json()
    assert asked_before["errors"] == told["errors"]
    danish = http.post(f"{REQUESTS}/price", json=wrong, headers={"Accept-Language": "da"}).json()
    assert [one | {"detail": ""} for one in danish["errors"]] == [
        one | {"detail": ""} for one in told["errors"]
    ]
    assert not {one["detail"] for one in danish["errors"]} & {one["detail"] for one in told["errors"]}


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"period_from": "24-11-2026"}, "/period_from"),
        ({"period_from": 20261201}, "/period_from"),
        ({"kind": "joy"}, "/kind"),
        ({"purpose": 7}, "/purpose"),
        ({"urgent": True}, "/urgent"),
        ({"area": [1, 2]}, "/area"),
        ({"crs": "EPSG:1"}, "/crs"),
        ({"work": {"depth_m": "deep"}}, "/work/depth_m"),
        ({"address_ids": ["Torvet 1"]}, "/address_ids/0"),
    ],
)
def test_a_field_of_another_kind_is_pointed_to(asked: Service, wrong: dict[str, Any], pointer: str) -> None:
    answer = send(program(asked), body() | wrong)
    assert answer.status_code == 400
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]


def test_an_area_may_be_degrees_by_name_wkt_or_a_corridor(asked: Service) -> None:
    http = program(asked)
    ring = [[10.2, 56.15], [10.2003, 56.15], [10.2003, 56.1502], [10.2, 56.1502], [10.2, 56.15]]
    degrees = sent(http, area={"type": "Polygon", "coordinates": [ring]}, crs="CRS84")
    # the corners as gdaltransform (PROJ 9.1) gives them
    assert degrees["bbox"] == pytest.approx([574548.79, 6223422.78, 574567.82, 6223445.36], abs=0.5)
    as_text = sent(http, area=None, area_wkt=[AREA.wkt, shifted(50).wkt])
    assert as_text["area_m2"] == 7500.0
    line = shapely.LineString([(575000, 6224000), (575100, 6224000)])
    corridor = sent(http, area=None, area_wkt=line.wkt, corridor_width_m=4.0)
    assert corridor["area_m2"] == 400.0


@pytest.mark.parametrize("format_", FILES)
def test_the_area_may_be_a_file_in_a_form(asked: Service, format_: str, tmp_path: Path) -> None:
    path = FILES[format_](tmp_path, AREA)
    http = program(asked)

    def post(key: str) -> Any:  # noqa: ANN401 - an answer
        files = {"area": (path.name, path.read_bytes(), "application/octet-stream")}
        return http.post(
            REQUESTS,
            data={"request": json.dumps(body(None))},
            files=files,
            headers={"Idempotency-Key": key},
        )

    first = post(format_)
    assert first.status_code == 201, first.text
    assert first.json()["area_m2"] == pytest.approx(5000, abs=0.1)
    again = post(format_)
    assert again.headers.get("Idempotency-Replayed") == "true", "its boundary is another each time"
    assert again.json() == first.json()


def test_a_file_that_is_none_is_refused_with_the_other_faults(asked: Service) -> None:
    http = program(asked)
    before = stored(asked)

    def post(content: bytes, name: str, **parts: str) -> Any:  # noqa: ANN401 - a document
        data = {"request": json.dumps(body(None, purpose=" "))} | parts
        return http.post(
            REQUESTS, data=data, files={"area": (name, content)}, headers={"Idempotency-Key": uuid4().hex}
        )

    told = post(b"PK\x03\x04 and no more", "a.zip").json()
    assert [(one["code"], one["pointer"]) for one in told["errors"]] == [
        ("archive-malformed", "/area"),
        ("purpose-missing", "/purpose"),
    ]
    assert post(b"x", "a.kml", more="x").json()["type"] == "/problems/form-invalid"
    assert post(b"x" * (11 << 20), "a.kml").status_code == 413
    assert stored(asked) == before


def test_an_emergency_shows_whom_to_call_at_once(asked: Service) -> None:
    receipt = sent(program(asked), kind="emergency", already_started=True, period_from=FIRST.isoformat())
    assert receipt["kind"] == "emergency"
    assert all(owner["phone"] == "12345678" for owner in receipt["owners"])


def test_planning_says_that_nobody_may_dig_on_it(asked: Service) -> None:
    assert sent(program(asked), kind="planning")["warnings"][0]["code"] == "planning-only"


def test_orientation_is_free_names_the_owners_and_asks_nobody(asked: Service) -> None:
    refused = send(program(asked), body(kind="orientation", declared=True))
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/role-missing")
    http = program(asked, Role.AUTHORITY)
    for kind in ("dig", "planning"):
        refused = send(http, body(kind=kind))
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/role-missing")
    before = stored(asked)
    receipt = sent(http, kind="orientation", declared=True)
    assert receipt["price"]["amount"] == "0.00"
    assert {owner["name"] for owner in receipt["owners"]} == {"Nordby Vand", "Sydby El"}
    assert receipt["warnings"][0]["code"] == "orientation-only"
    after = stored(asked)
    assert after["owner_request"] == before["owner_request"]
    assert after["package_feature"] == before["package_feature"]
    assert http.get(f"{REQUESTS}/{receipt['id']}/owners").json()["owners"] == receipt["owners"]


def test_where_nobody_registered_nobody_is_asked_and_nothing_is_missing(asked: Service) -> None:
    receipt = sent(program(asked), area=FAR)
    assert (receipt["state"], receipt["owners"]) == ("complete", [])
    assert [one["code"] for one in receipt["warnings"]] == ["nobody-asked"]


def test_utility_types_narrow_whom_is_asked(asked: Service) -> None:
    receipt = sent(program(asked), utility_types=["el"])
    assert [owner["name"] for owner in receipt["owners"]] == ["Sydby El"]


def test_the_list_is_paged_and_filtered(asked: Service) -> None:
    http = program(asked)
    made = [sent(http, kind=kind)["id"] for kind in ("dig", "planning", "dig", "planning", "dig")]
    found, address = [], f"{REQUESTS}?limit=2"
    while address:
        page = http.get(address).json()
        found += [one["id"] for one in page["requests"]]
        address = page.get("next", "")
    assert found == made[::-1]

    def listed(**query: str) -> list[str]:
        answer = http.get(REQUESTS, params=query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["requests"]]

    assert listed(kind="planning") == [made[3], made[1]]
    http.post(f"{REQUESTS}/{made[0]}/cancel")
    assert listed(state="cancelled") == [made[0]]
    today = (FIRST - timedelta(days=7)).isoformat()
    tomorrow = (FIRST - timedelta(days=5)).isoformat()
    assert listed(**{"from": tomorrow}) == []
    assert len(listed(to=tomorrow)) == 5
    assert len(listed(**{"from": (FIRST - timedelta(days=9)).isoformat(), "to": tomorrow})) == 5
    narrowed = http.get(REQUESTS, params={"kind": "dig", "limit": 1, "from": today[:4] + "-01-01"}).json()
    assert "kind=dig" in narrowed["next"]
    for wrong in (
        {"state": "lost"},
        {"cursor": "x"},
        {"from": "yesterday"},
        {"limit": "0"},
        {"nothing": "1"},
    ):
        assert http.get(REQUESTS, params=wrong).status_code == 400, wrong


def test_a_request_that_has_not_changed_is_not_sent_again(asked: Service) -> None:
    http = program(asked)
    address = f"{REQUESTS}/{sent(http)['id']}"
    first = http.get(address)
    same = http.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    http.post(f"{address}/cancel")
    assert http.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_the_yearly_cap_counts_what_was_charged(asked: Service) -> None:
    organisation = requester(asked)
    http = asked.client(asked.token(organisation)).http
    with asked.world.database.connect() as connection:
        connection.execute(
            "INSERT INTO ler.excavation_request (requester_id, area, period_from, period_to, purpose, price)"
            " VALUES (%s, ST_SetSRID(ST_GeomFromText(%s), 25832), now(), now(), 'x', 165990)",
            [organisation, AREA.wkt],
        )
    told = http.post(f"{REQUESTS}/price", json=body()).json()["price"]
    assert (told["before_cap"], told["amount"], told["capped"]) == ("35.00", "10.00", True)
    assert sent(http)["price"]["amount"] == "10.00"
    assert sent(http)["price"]["amount"] == "0.00"


def test_limits_are_public(asked: Service) -> None:
    told = asked.client(None).http.get("/api/v1/limits").json()
    assert told["area"]["max_m2"] == 250_000.0
    assert told["retention"]["requests_years"] == 10
    assert told["price"]["per_m2"] == "0.007"
    assert "kml" in told["area"]["files"]["formats"]
    assert told["codes"]["work_methods"]["hand"] == {"en": "By hand", "da": "Håndgravning"}
