"""Rules on sensitive lines over HTTP, and what owners say of what was withheld."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from shapely import box
from shapely.geometry import mapping
from sqlalchemy import text

from geoapi.routes.sensitivity import RULES, WITHHELD
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.sensitivity import SensitivityClass
from tests.sensitive_scene import ask_beside, withhold_something
from tests.service import Client, Service

AREA = mapping(box(574000, 6223000, 574100, 6223100))


def make(client: Client, key: str = "", **body: Any) -> httpx.Response:  # noqa: ANN401 - fields of the body
    return client.http.post(RULES, json=body, headers={"Idempotency-Key": key or uuid4().hex})


def test_an_owner_makes_lists_and_ends_its_rules(service: Service) -> None:
    mine, yours = service.program(), service.program()
    body = {
        "class": "site-marking",
        "utility_types": ["el"],
        "danger_classes": ["meget farlig"],
        "area": AREA,
        "reason": "§ 3",
    }
    made = make(mine, "k", **body)
    assert made.status_code == 201, made.text
    rule = made.json()
    assert made.headers["Location"] == f"{RULES}/{rule['id']}"
    assert rule["area"]["type"] == "MultiPolygon"
    assert {name: rule[name] for name in body if name != "area"} == {
        name: value for name, value in body.items() if name != "area"
    }
    again = make(mine, "k", **body)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (rule, "true")
    assert mine.http.get(RULES).json() == {"rules": [rule]}
    assert yours.http.get(RULES).json() == {"rules": []}
    assert yours.http.delete(f"{RULES}/{rule['id']}").status_code == 404
    assert mine.http.delete(f"{RULES}/{rule['id']}").status_code == 204
    assert mine.http.delete(f"{RULES}/{rule['id']}").status_code == 404
    assert mine.http.get(RULES).json() == {"rules": []}
    ended = mine.http.get(RULES, params={"ended": "true"}).json()["rules"]
    assert ended[0]["ended_at"]


BOW_TIE = {
    "type": "Polygon",
    "coordinates": [
        [[574000, 6223000], [574010, 6223010], [574010, 6223000], [574000, 6223010], [574000, 6223000]]
    ],
}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"class": "restricted"}, "rule-empty", ""),
        ({"class": "normal", "gml_ids": ["a"]}, "field-invalid", "/class"),
        ({"class": "restricted", "utility_types": ["strøm"]}, "attribute-code", "/utility_types"),
        ({"class": "restricted", "feature_types": ["Kabel"]}, "feature-type-unknown", "/feature_types"),
        ({"class": "restricted", "gml_ids": [""]}, "field-invalid", "/gml_ids/0"),
        ({"class": "restricted", "gml_ids": ["a"], "owner": "x"}, "field-unknown", "/owner"),
        ({"class": "restricted", "area": {"type": "Point", "coordinates": [1, 2]}}, "geometry-invalid", "/area"),
        ({"class": "restricted", "area": {"type": "Polygon"}}, "geometry-invalid", "/area"),
        ({"class": "restricted", "area": {"type": "Polygon", "coordinates": [[["x"]]]}}, "geometry-invalid", "/area"),
        ({"class": "restricted", "area": {"type": "Polygon", "coordinates": []}}, "geometry-invalid", "/area"),
        ({"class": "restricted", "area": BOW_TIE}, "geometry-invalid", "/area"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_where_it_is_wrong(
    service: Service, body: dict[str, Any], code: str, pointer: str
) -> None:
    client = service.program()
    answer = make(client, **body)
    assert answer.status_code == 400, answer.text
    errors = answer.json()["errors"]
    assert [(one["code"], one.get("pointer", "")) for one in errors] == [(code, pointer)]
    assert client.http.get(RULES).json() == {"rules": []}


def test_endless_coordinates_are_no_area(service: Service) -> None:
    content = b'{"class": "restricted", "area": {"type": "Polygon", "coordinates": [[[1e400, 1], [2, 2], [3, 1], [1e400, 1]]]}}'
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = service.program().http.post(RULES, content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "geometry-invalid"


@pytest.mark.parametrize("deliver", [True, False])
def test_the_owner_sees_what_waits_for_its_word_and_gives_it_once(service: Service, *, deliver: bool) -> None:
    owner = service.owner()
    area = withhold_something(service.world, owner, service.folder)
    request = ask_beside(service.world, area)
    client, stranger = service.client(service.token(owner)), service.program()
    listed = client.http.get(WITHHELD).json()
    assert listed["total"] == 1
    waiting = listed["answers"][0]
    assert (waiting["request_id"], waiting["answer"]) == (str(request), "udtaget til manuel behandling")
    assert (waiting["awaits_decision"], waiting["features_delivered"]) == (True, 1)
    links = waiting["links"]
    assert client.http.get(links["self"]).json()["features"] == [
        {"gml_id": "secret", "class": "restricted", "inside": True}
    ]
    assert stranger.http.get(WITHHELD).json() == {"answers": [], "total": 0}
    for address in (links["self"], f"{WITHHELD}/{uuid4()}"):
        assert stranger.http.get(address).status_code == 404
    assert stranger.http.post(links["decision"], json={"deliver": True}).status_code == 404
    assert client.http.post(links["decision"], json={"deliver": "yes"}).status_code == 400
    decided = client.http.post(links["decision"], json={"deliver": deliver})
    assert decided.status_code == 200, decided.text
    assert decided.json()["replaces"] == waiting["answer_id"]
    again = client.http.post(links["decision"], json={"deliver": True})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/nothing-awaits-decision")
    assert client.http.get(WITHHELD).json() == {"answers": [], "total": 0}
    every = client.http.get(WITHHELD, params={"all": "true"}).json()["answers"]
    assert [one["awaits_decision"] for one in every] == [False] * (1 if deliver else 2)
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        names = connection.execute(
            text(
                "SELECT f.gml_id FROM ler.package_feature AS f JOIN ler.owner_answer AS a ON a.id = f.answer_id"
                " WHERE a.request_id = :request AND a.replaced_at IS NULL ORDER BY 1"
            ),
            {"request": request},
        ).scalars()
        assert [*names] == ["plain", "secret"][: 2 if deliver else 1]


def test_lines_to_be_pointed_out_need_no_word(service: Service) -> None:
    owner = service.owner()
    area = withhold_something(service.world, owner, service.folder, SensitivityClass.SITE_MARKING)
    ask_beside(service.world, area)
    client = service.client(service.token(owner))
    assert client.http.get(WITHHELD).json()["total"] == 0
    told = client.http.get(WITHHELD, params={"all": "true"}).json()["answers"][0]
    assert told["answer"] == "udtaget til påvisning - ledningsoplysninger udleveret"
    refused = client.http.post(told["links"]["decision"], json={"deliver": True})
    assert refused.status_code == 409
