"""Processes and jobs beyond what the official suite asks: whose they are, how they stop, and what each process does."""

import json
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from openapi_spec_validator import validate
from shapely import LineString, box
from shapely.geometry import mapping

from geoapi.works_desk import WorksDesk
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.access import Scope
from ler.services.requests import today_of
from ler.services.tokens import create_token, revoke_token
from ler.settings import Settings
from tests.answers import answer
from tests.conformance.jobbing import (
    ASYNC,
    ECHO,
    EXCEPTIONS,
    JSON,
    Jobbing,
    check,
)
from tests.notices import receiver
from tests.packages import ask, central
from tests.service import AREA, Service, eventually

EXCAVATION = "/ogc/processes/excavation-request/execution"
CHECKING = "/ogc/processes/check-network/execution"
CONFLICTS = "/ogc/processes/find-conflicts"
WINDOWS = "/ogc/processes/propose-windows/execution"
NETWORK_CONFLICTS = "/ogc/processes/find-network-conflicts"
ASKED = {
    "area_wkt": "POLYGON((575000 6224000,575050 6224000,575050 6224050,575000 6224050,575000 6224000))",
    "period_from": "2026-12-10",
    "period_to": "2026-12-20",
    "purpose": "a new cable",
}
SLOW: dict[str, Any] = {"inputs": {"message": "slow", "pause": 10}}
GML = answer().encode()


def token(service: Service, owner: Any, *scopes: Scope) -> httpx.Client:  # noqa: ANN401 - an id
    return service.client(service.token(owner, *scopes)).http


def listed(http: httpx.Client) -> list[str]:
    return [one["id"] for one in http.get("/ogc/processes").json()["processes"]]


def requests_of(jobbing: Jobbing) -> int:
    return len(jobbing.http.get("/api/v1/requests", params={"limit": 100}).json()["requests"])


def test_jobs_of_others_are_as_if_they_were_not_there(jobbing: Jobbing) -> None:
    job = jobbing.started({"inputs": {"message": "mine"}})
    stranger = token(jobbing.service, jobbing.service.owner())
    nothing = stranger.get(f"/ogc/jobs/{uuid4()}").json()
    for method, address in (
        ("GET", job),
        ("GET", f"{job}/results"),
        ("GET", f"{job}/results/message"),
        ("DELETE", job),
    ):
        refused = stranger.request(method, address)
        assert refused.status_code == 404
        told = {name: value for name, value in refused.json().items() if name != "instance"}
        assert told == {name: value for name, value in nothing.items() if name != "instance"}
    assert stranger.get("/ogc/jobs").json()["jobs"] == []
    assert jobbing.ended(job)["status"] == "successful"
    nobody = jobbing.service.client(None).http
    for method, address in (("GET", job), ("DELETE", job), ("GET", "/ogc/jobs"), ("POST", ECHO)):
        answered = nobody.request(method, address, json={} if method == "POST" else None)
        assert (answered.status_code, answered.json()["type"]) == (401, "/problems/token-missing")


def test_processes_are_seen_by_who_may_run_them_and_so_are_their_jobs(jobbing: Jobbing) -> None:
    jobbing.http.post(EXCAVATION, json={"inputs": ASKED | {"price_only": True}}, headers=JSON)
    narrow = token(jobbing.service, jobbing.organisation, Scope.NETWORK_UPLOAD)
    assert [one["id"] for one in narrow.get("/ogc/processes").json()["processes"]] == [
        "check-network",
        "echo",
    ]
    for refused in (
        narrow.get("/ogc/processes/excavation-request"),
        narrow.post(EXCAVATION, json={"inputs": ASKED}),
    ):
        assert (refused.status_code, refused.json()["type"]) == (404, f"{EXCEPTIONS}no-such-process")
    assert {one["processID"] for one in narrow.get("/ogc/jobs?limit=1000").json()["jobs"]} <= {
        "echo",
        "check-network",
    }
    theirs = jobbing.json("/ogc/jobs?processID=excavation-request&limit=1")["jobs"][0]["jobID"]
    assert narrow.get(f"/ogc/jobs/{theirs}").status_code == 404
    nobody = jobbing.service.client(None).http
    assert listed(nobody) == ["echo"]
    assert nobody.get("/ogc/processes/echo").status_code == 200
    assert nobody.get("/ogc/processes/excavation-request").status_code == 401
    paths = nobody.get("/ogc/openapi").json()["paths"]
    assert paths["/processes/{processID}"]["get"]["parameters"][0]["schema"]["enum"] == ["echo"]


def test_the_description_of_the_api_is_valid(jobbing: Jobbing) -> None:
    document = jobbing.http.get("/ogc/openapi").json()
    ours = {path: one for path, one in document["paths"].items() if path.startswith(("/processes", "/jobs"))}
    assert len(ours) == 7
    validate({"openapi": "3.0.3", "info": document["info"], "paths": ours})


def test_every_link_leads_somewhere(jobbing: Jobbing) -> None:
    found = jobbing.json("/ogc/processes")
    links = [link for one in (found, *found["processes"]) for link in one["links"]]
    ways = {link["href"] for link in links if not link["rel"].endswith("/execute")}
    assert len(ways) >= 2 + len(found["processes"])
    assert {way: jobbing.http.get(way).status_code for way in ways} == dict.fromkeys(ways, 200)


def test_a_job_that_runs_is_dismissed_and_stops(jobbing: Jobbing) -> None:
    job = jobbing.started(SLOW)
    eventually(lambda: jobbing.json(job)["status"] == "running" and jobbing.json(job)["progress"] > 0)
    assert jobbing.json(job)["message"] == "Waiting"
    for _ in range(2):
        dismissed = jobbing.http.delete(job)
        assert dismissed.status_code == 200
        check("status", dismissed.json())
        assert dismissed.json()["status"] == "dismissed"
    assert jobbing.json(f"{job}/results", 410)["type"] == "/problems/job-dismissed"
    # Its worker is free again long before the pause would have ended.
    later = jobbing.http.post(
        ECHO, json={"inputs": {"message": "x"}}, headers={"Prefer": "respond-async, wait=8"}
    )
    assert later.status_code == 200
    assert jobbing.json(job)["status"] == "dismissed"


def test_what_came_of_a_job_that_is_dismissed_is_gone(jobbing: Jobbing) -> None:
    job = jobbing.started({"inputs": {"message": "gone"}})
    jobbing.ended(job)
    assert jobbing.http.delete(job).json()["status"] == "dismissed"
    assert jobbing.json(f"{job}/results", 410)


def test_a_call_may_wait_for_its_job(jobbing: Jobbing) -> None:
    body = {"inputs": {"message": "hej"}, "response": "raw"}
    done = jobbing.http.post(ECHO, json=body, headers={"Prefer": "wait=20"})
    assert (done.status_code, done.text, done.headers["Preference-Applied"]) == (200, "hej", "wait=20")
    late = jobbing.http.post(ECHO, json=SLOW, headers={"Prefer": "respond-async, wait=0"})
    assert late.status_code == 201
    jobbing.http.delete(late.headers["Location"])


def test_who_is_named_is_told_and_never_our_neighbours(jobbing: Jobbing) -> None:
    with receiver() as sink:
        told = {name: sink.url(f"/{name}") for name in ("successUri", "inProgressUri", "failedUri")}
        job = jobbing.started({"inputs": {"message": "told", "pause": 1}, "subscriber": told})
        eventually(lambda: any(call.path == "/successUri" for call in sink.calls))
        said = {call.path: json.loads(call.body) for call in sink.calls}
        assert said["/successUri"] == {"message": "told"}
        check("status", said["/inProgressUri"])
        assert (said["/inProgressUri"]["status"], said["/inProgressUri"]["jobID"]) == ("running", job[-36:])
        failed = jobbing.http.post(EXCAVATION, headers=ASYNC, json={
            "inputs": ASKED | {"period_to": "2020-01-01"}, "subscriber": told,
        })  # fmt: skip
        assert failed.status_code == 201
        eventually(lambda: any(call.path == "/failedUri" for call in sink.calls))
        assert json.loads(sink.calls[-1].body)["status"] == "failed"
        assert "webhook-signature" not in sink.calls[-1].headers
        assert len({*sink.ids()}) == len(sink.calls)
    for address in ("ftp://example.dk/x", "http://user:word@127.0.0.1/x", "nothing"):
        refused = jobbing.execute({"inputs": {}, "subscriber": {"successUri": address}}, 400).json()
        assert [(one["code"], one["pointer"]) for one in refused["errors"]] == [
            ("webhook-target", "/subscriber/successUri")
        ]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"inputs": {"message": 1, "numbers": [1, "b"]}}, ["/inputs/message", "/inputs/numbers/1"]),
        ({"inputs": {"message": {"value": 3}}}, ["/inputs/message/value"]),
        ({"inputs": {"pause": 11, "bbox": {"bbox": [1]}}}, ["/inputs/pause", "/inputs/bbox/bbox"]),
        ({"inputs": {"bytes": "%"}}, ["/inputs/bytes"]),
        ({"inputs": {"no/such~": 1}, "outputs": {"none": {}}}, ["/inputs/no~1such~0", "/outputs/none"]),
        ({"inputs": {"message": {"href": "http://127.0.0.1:9/"}}}, ["/inputs/message/href"]),
        ({"inputs": []}, ["/inputs"]),
        ({"response": "both"}, ["/response"]),
    ],
)
def test_what_cannot_be_used_is_pointed_to(
    jobbing: Jobbing, body: dict[str, Any], pointers: list[str]
) -> None:
    refused = jobbing.http.post(ECHO, json=body)
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, "application/problem+json")
    assert [error["pointer"] for error in refused.json()["errors"]] == pointers


def test_bodies_that_are_no_calls_are_refused(jobbing: Jobbing) -> None:
    headers = {"Content-Type": "application/json"}
    for content in (b"", b"[", b"[]", b'{"inputs": {"ratio": 1e999}}', b'{"inputs": {"message": "\\u0000"}}'):
        assert jobbing.http.post(ECHO, content=content, headers=headers).status_code == 400, content
    assert jobbing.http.post(ECHO, content=b"{}").status_code == 400
    assert jobbing.http.post(f"{ECHO}?x=1", json={}).status_code == 400
    assert jobbing.http.get(ECHO).status_code == 405
    assert jobbing.http.put("/ogc/jobs/x").status_code == 405


def test_jobs_are_listed_by_what_is_asked_page_by_page(jobbing: Jobbing) -> None:
    mine = token(jobbing.service, jobbing.service.owner())
    for number in range(3):
        mine.post(ECHO, json={"inputs": {"message": str(number)}})
    pages = [mine.get("/ogc/jobs?limit=2&status=successful,failed&type=process").json()]
    while following := [link["href"] for link in pages[-1]["links"] if link["rel"] == "next"]:
        pages.append(mine.get(following[0]).json())
    found = [one for page in pages for one in page["jobs"]]
    assert [len(page["jobs"]) for page in pages] == [2, 1]
    assert len({one["jobID"] for one in found}) == 3
    assert [one["created"] for one in found] == sorted((one["created"] for one in found), reverse=True)
    for query, number in (
        ("processID=echo,check-network", 3),
        ("processID=nothing", 0),
        ("status=dismissed", 0),
        ("datetime=../2020-01-01", 0),
        ("datetime=2020-01-01/..", 3),
        ("minDuration=60", 0),
        ("maxDuration=60", 3),
    ):
        assert len(mine.get(f"/ogc/jobs?{query}").json()["jobs"]) == number, query
    for wrong in ("limit=0", "status=none", "type=other", "datetime=x", "minDuration=-1", "cursor=x", "x=1"):
        assert mine.get(f"/ogc/jobs?{wrong}").status_code == 400, wrong


def test_a_request_is_priced_sent_and_sent_once(jobbing: Jobbing) -> None:
    before = requests_of(jobbing)
    price = jobbing.http.post(EXCAVATION, json={"inputs": ASKED | {"price_only": True}}, headers=JSON)
    assert (price.status_code, price.json()["currency"]) == (200, "DKK")
    assert requests_of(jobbing) == before
    key = {"Idempotency-Key": uuid4().hex}
    sent = [jobbing.http.post(EXCAVATION, json={"inputs": ASKED}, headers=key) for _ in range(2)]
    assert sent[0].json() == sent[1].json()
    receipt = sent[0].json()["receipt"]["value"]
    assert jobbing.http.get(f"/api/v1/requests/{receipt['id']}").json()["purpose"] == "a new cable"
    assert requests_of(jobbing) == before + 1
    reused = jobbing.http.post(EXCAVATION, json={"inputs": ASKED | {"purpose": "other"}}, headers=key)
    assert (reused.status_code, reused.json()["type"]) == (422, "/problems/idempotency-key-reused")
    wrong = jobbing.http.post(EXCAVATION, json={"inputs": ASKED | {"period_to": "2020-01-01"}})
    assert wrong.status_code == 422
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"/inputs/period_to"}
    assert requests_of(jobbing) == before + 1


@pytest.mark.parametrize("content", [GML.decode(), b64encode(GML).decode()])
def test_a_file_is_checked_and_nothing_is_stored(jobbing: Jobbing, content: str) -> None:
    before = jobbing.service.world.counts()
    waiting = {"Prefer": "wait=20"}
    found = jobbing.http.post(CHECKING, json={"inputs": {"file": content}}, headers=waiting).json()
    report = found["report"]["value"]["files"][0]
    assert found["summary"]["value"]["outcome"] == report["outcome"]
    assert found["summary"]["value"]["features"] == sum(report["features"].values()) > 0
    after = jobbing.service.world.counts()
    grown = {name for name in after if after[name] > before[name]}
    assert not {name for name in grown if name.startswith(("network", "staged", "upload"))}


def test_a_file_that_cannot_be_read_is_a_finding_and_a_wrong_call_none(jobbing: Jobbing) -> None:
    waiting = {"Prefer": "wait=20"}
    found = jobbing.http.post(CHECKING, json={"inputs": {"file": "<a/>"}}, headers=waiting).json()
    assert found["summary"]["value"]["outcome"] == "unreadable"
    others = jobbing.service.program().upload(GML).rpartition("/")[2]
    for inputs, pointer in (
        ({}, "/inputs/file"),
        ({"file": "!"}, "/inputs/file"),
        ({"upload": others}, "/inputs/upload"),
        ({"upload": str(uuid4())}, "/inputs/upload"),
    ):
        refused = jobbing.http.post(CHECKING, json={"inputs": inputs}, headers=waiting)
        results = jobbing.http.get(f"{refused.headers['Location']}/results")
        assert [error["pointer"] for error in results.json()["errors"]] == [pointer]
    assert jobbing.http.post(CHECKING, json={"inputs": {"upload": "x"}}).status_code == 400


def test_an_upload_of_ones_own_is_checked(jobbing: Jobbing) -> None:
    upload = jobbing.service.client(jobbing.service.token(jobbing.organisation)).upload(GML)
    inputs = {"upload": upload.rpartition("/")[2]}
    found = jobbing.http.post(CHECKING, json={"inputs": inputs}, headers={"Prefer": "wait=20"}).json()
    assert found["report"]["value"]["files"][0]["file"] == "net.gml"


def test_large_inputs_and_results_lie_in_the_store_until_they_are_of_no_use(jobbing: Jobbing) -> None:
    text = "x" * 9_000
    body = {"inputs": {"message": text, "thing": {"value": {"many": [text] * 20}}}}
    job = jobbing.started(body)
    jobbing.ended(job)
    assert jobbing.json(f"{job}/results")["thing"]["value"] == {"many": [text] * 20}
    with jobbing.service.world.database.connect() as connection:
        row = connection.execute(
            "SELECT inputs_sha256, result_sha256, result FROM ler.ogc_job WHERE id = %s", [job[-36:]]
        ).fetchone()
    assert row is not None
    assert (row[0], row[2]) == (None, None)
    assert (jobbing.service.blobs / row[1][:2] / row[1]).exists() or [*jobbing.service.blobs.rglob(row[1])]


def test_a_job_runs_with_the_rights_of_the_moment(jobbing: Jobbing) -> None:
    service = jobbing.service
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        secret = create_token(connection, jobbing.organisation, scopes=[*Scope], days=1)
    # Two that wait keep both of the worker's places.
    slow = [jobbing.started(SLOW) for _ in range(2)]
    eventually(lambda: all(jobbing.json(one)["status"] == "running" for one in slow))
    before = requests_of(jobbing)
    sent = service.client(secret).http.post(EXCAVATION, json={"inputs": ASKED}, headers=ASYNC)
    assert sent.status_code == 201
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        revoke_token(connection, secret.split("_")[2])
    for one in slow:
        jobbing.http.delete(one)
    found = jobbing.ended(sent.headers["Location"])
    assert found["status"] == "failed"
    assert jobbing.json(f"{sent.headers['Location']}/results", 403)["type"] == "/problems/job-rights-ended"
    assert requests_of(jobbing) == before


def test_conflicts_are_found_among_what_was_delivered_and_in_the_own_network(
    jobbing: Jobbing, tmp_path: Path
) -> None:
    service = jobbing.service
    owner = central(service, tmp_path, 1)
    asked = ask(service)
    inputs = {"request": str(asked.id)}
    asked.packed()
    found = asked.client.http.post(f"{CONFLICTS}/execution", json={"inputs": inputs, "response": "document"})
    told = found.json()
    features = told["conflicts"]["value"]["features"]
    assert told["summary"]["value"]["conflicts"] == len(features) == 2
    assert {one["properties"]["gml_id"] for one in features} == {"p0", "p1"}
    east, north = features[0]["geometry"]["coordinates"][0][:2]
    assert (9 < east < 11, 56 < north < 57) == (True, True)
    raw = {"inputs": inputs, "outputs": {"conflicts": {}}, "response": "raw"}
    assert (
        asked.client.http.post(f"{CONFLICTS}/execution", json=raw).headers["Content-Type"]
        == "application/geo+json"
    )
    strange = jobbing.http.post(f"{CONFLICTS}/execution", json={"inputs": inputs})
    assert [error["pointer"] for error in strange.json()["errors"]] == ["/inputs/request"]
    dig = {"area": mapping(AREA), "crs": "EPSG:25832", "depth_m": 1.0}
    own = token(service, owner).post(f"{NETWORK_CONFLICTS}/execution", json={"inputs": dig})
    assert own.json()["summary"]["value"]["conflicts"] == 2
    others = jobbing.http.post(f"{NETWORK_CONFLICTS}/execution", json={"inputs": dig})
    assert others.json()["summary"]["value"]["conflicts"] == 0


def test_windows_are_proposed_for_the_works_of_an_area(jobbing: Jobbing) -> None:
    service, west, south = jobbing.service, 600_000.0, 6_200_000.0
    ids = []
    for organisation, activity, shift in ((service.owner(), "vand", 0.0), (service.owner(), "el", 1.0)):
        with transaction(service.world.databases.app, organisation) as connection:
            today = today_of(connection)
            values = {
                "title": activity,
                "activity": activity,
                "method": "open-trench",
                "duration_days": 5,
                "earliest_start": (today + timedelta(days=60)).isoformat(),
                "latest_end": (today + timedelta(days=180)).isoformat(),
                "road": "lane",
                "willing_to_share": True,
            }
            trench = LineString([(west, south + shift), (west + 200, south + shift)])
            desk = WorksDesk(Settings(), today)
            ids.append(str(desk.create(connection, organisation, values, trench).work.work.id))
    area = {"area": mapping(box(west - 10, south - 10, west + 210, south + 10)), "crs": "EPSG:25832"}
    waiting = {"Prefer": "wait=30"}
    found = jobbing.http.post(WINDOWS, json={"inputs": area | {"order": [ids]}}, headers=waiting)
    told = found.json()
    (window,) = (one["properties"] for one in told["windows"]["value"]["features"])
    assert sorted(window["works"]) == sorted(ids)
    summary = told["summary"]["value"]
    assert (summary["windows"], summary["saved_dkk"]) == (1, window["saved_dkk"])
    assert 0 < summary["value_dkk"] <= summary["bound_dkk"]
    placed = told["placements"]["value"]
    assert placed.keys() == {*ids}
    assert placed[ids[0]]["start"] <= placed[ids[1]]["start"]
    wrong = jobbing.http.post(WINDOWS, json={"inputs": {"order": [["x", "y"]], "crews": 0}}, headers=waiting)
    assert [error["pointer"] for error in wrong.json()["errors"]] == [
        *("/inputs/order/0/0", "/inputs/order/0/1", "/inputs/crews")
    ]
