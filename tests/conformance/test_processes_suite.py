"""The official suite of Processes 1 (ets-ogcapi-processes10): every test of it by its name, against service and worker.

Where the suite only looks at the status of an answer, what it was made for is looked at too.
"""

import re
from pathlib import Path
from uuid import uuid4

from tests.conformance.jobbing import (
    ECHO,
    EXCEPTIONS,
    JSON,
    RESULTS,
    Jobbing,
    by_value,
    call,
    check,
    is_box,
    texts,
    types_of,
)


def test_every_test_of_the_suite_is_here() -> None:
    listed = Path(__file__).with_name("ets_processes10.txt").read_text(encoding="utf-8").split()
    assert len(listed) == 54
    names = [re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.rpartition(".")[2]).lower() for name in listed]
    assert [
        name for name in names if not callable(globals().get(name.replace("ogcprocess", "ogc_process")))
    ] == []


def test_validate_conformance_operation_and_response(jobbing: Jobbing) -> None:
    document = jobbing.json("/ogc/conformance")
    check("conformance", document)
    classes = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
    for name in ("core", "ogc-process-description", "json", "oas30", "job-list", "callback", "dismiss"):
        assert classes + name in document["conformsTo"]


def test_http(jobbing: Jobbing) -> None:
    assert jobbing.http.get("/ogc/").http_version == "HTTP/1.1"


def test_landing_page_retrieval(jobbing: Jobbing) -> None:
    assert jobbing.json("/ogc/")["links"]


def test_landing_page_validation(jobbing: Jobbing) -> None:
    rels = {link["rel"] for link in jobbing.json("/ogc/")["links"]}
    for wanted in ("conformance", "processes", "job-list"):
        assert f"http://www.opengis.net/def/rel/ogc/1.0/{wanted}" in rels
    assert "service-desc" in rels


def test_pl_limit_definition(jobbing: Jobbing) -> None:
    described = jobbing.http.get("/ogc/openapi").json()["paths"]["/processes"]["get"]
    limit = next(one for one in described["parameters"] if one["name"] == "limit")
    assert (limit["in"], limit["style"], limit["explode"]) == ("query", "form", False)
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10_000}


def test_pl_limit_response(jobbing: Jobbing) -> None:
    assert len(jobbing.json("/ogc/processes?limit=1")["processes"]) == 1
    for wrong in ("0", "-1", "x", "10001"):
        check("exception", jobbing.json(f"/ogc/processes?limit={wrong}", 400))


def test_pl_links(jobbing: Jobbing) -> None:
    links = jobbing.json("/ogc/processes?limit=1")["links"]
    assert [link["type"] for link in links if link["rel"] == "self"] == ["application/json"]


def test_process_list(jobbing: Jobbing) -> None:
    found = [one["id"] for one in jobbing.json("/ogc/processes")["processes"]]
    assert {"echo", "excavation-request", "check-network"} <= {*found}


def test_process_list_success(jobbing: Jobbing) -> None:
    check("processes", jobbing.json("/ogc/processes"))


def test_process(jobbing: Jobbing) -> None:
    assert jobbing.echo["id"] == "echo"


def test_process_success(jobbing: Jobbing) -> None:
    check("process", jobbing.echo)


def test_process_exception_no_such_process(jobbing: Jobbing) -> None:
    answer = jobbing.json(f"/ogc/processes/invalid-process-{uuid4()}", 404)
    check("exception", answer)
    assert answer["type"] == f"{EXCEPTIONS}no-such-process"


def test_ogc_process_description_json(jobbing: Jobbing) -> None:
    for one in jobbing.json("/ogc/processes")["processes"]:
        check("process", jobbing.json(f"/ogc/processes/{one['id']}"))


def test_ogc_process_description_inputs_def(jobbing: Jobbing) -> None:
    for one in jobbing.json("/ogc/processes")["processes"]:
        assert jobbing.json(f"/ogc/processes/{one['id']}")["inputs"]


def test_ogc_process_description_input_def(jobbing: Jobbing) -> None:
    assert all("schema" in one for one in jobbing.echo["inputs"].values())


def test_ogc_process_description_input_definition_of_mixed_type(jobbing: Jobbing) -> None:
    assert any("oneOf" in one["schema"] for one in jobbing.echo["inputs"].values())


def test_ogc_process_description_outputs_def(jobbing: Jobbing) -> None:
    for one in jobbing.json("/ogc/processes")["processes"]:
        assert jobbing.json(f"/ogc/processes/{one['id']}")["outputs"]


def test_ogc_process_description_output_def(jobbing: Jobbing) -> None:
    assert all("schema" in one for one in jobbing.echo["outputs"].values())


def test_ogc_process_description_output_definition_of_mixed_type(jobbing: Jobbing) -> None:
    assert any("oneOf" in one["schema"] for one in jobbing.echo["outputs"].values())


def test_job_list(jobbing: Jobbing) -> None:
    jobbing.execute(call(jobbing.echo))
    assert jobbing.json("/ogc/jobs")["jobs"]


def test_job_list_success(jobbing: Jobbing) -> None:
    jobbing.execute(call(jobbing.echo))
    check("jobs", jobbing.json("/ogc/jobs"))


def test_job_creation_auto_execution_mode(jobbing: Jobbing) -> None:
    assert jobbing.ended(jobbing.started(call(jobbing.echo)))["status"] == "successful"
    answer = jobbing.execute(call(jobbing.echo), Prefer="respond-sync")
    assert answer.headers["Preference-Applied"] == "respond-sync"


def test_job_creation_default_execution_mode(jobbing: Jobbing) -> None:
    answer = jobbing.execute(call(jobbing.echo))
    assert "Preference-Applied" not in answer.headers


def test_job_creation_default_outputs(jobbing: Jobbing) -> None:
    inputs = texts(jobbing.echo)
    assert jobbing.execute({"inputs": inputs}).json().keys() == inputs.keys()


def test_job_creation_input_array(jobbing: Jobbing) -> None:
    name = next(name for name, one in jobbing.echo["inputs"].items() if types_of(one["schema"]) == ["array"])
    body = {"inputs": {name: [1, 2, 3]}, "outputs": by_value(jobbing.echo, name)}
    assert jobbing.execute(body).json() == [1, 2, 3]


def test_job_creation_input_inline_bbox(jobbing: Jobbing) -> None:
    name = next(name for name, one in jobbing.echo["inputs"].items() if is_box(one["schema"]))
    box = {"bbox": [51.9, 7, 52, 7.1], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    body = {"inputs": {name: box}, "outputs": by_value(jobbing.echo, name)}
    assert jobbing.execute(body | {"response": "document"}).json() == {name: box}


def test_job_creation_input_inline_binary(jobbing: Jobbing) -> None:
    name = next(
        name
        for name, one in jobbing.echo["inputs"].items()
        if one["schema"].get("contentEncoding") == "base64"
    )
    body = {"inputs": {name: "AAECAw=="}, "outputs": by_value(jobbing.echo, name), "response": "raw"}
    answer = jobbing.execute(body)
    assert (answer.content, answer.headers["Content-Type"]) == (bytes(range(4)), "application/octet-stream")


def mixed(jobbing: Jobbing) -> str:
    return str(next(name for name, one in jobbing.echo["inputs"].items() if "oneOf" in one["schema"]))


def test_job_creation_input_inline_mixed(jobbing: Jobbing) -> None:
    name = mixed(jobbing)
    for value in ("a text", {"value": {"an": "object"}, "mediaType": "application/json"}):
        answer = jobbing.execute({"inputs": {name: value}, "response": "document"}).json()
        assert answer == {name: value}


def test_job_creation_input_inline_object(jobbing: Jobbing) -> None:
    name = mixed(jobbing)
    # As the suite gives it: a value that is qualified, and a text.
    body = call(jobbing.echo)
    body["inputs"][name] = {"value": "teststring"}
    assert jobbing.execute(body).json()[name] == "teststring"


def test_job_creation_input_inline(jobbing: Jobbing) -> None:
    assert jobbing.execute(call(jobbing.echo)).json()["message"] == "teststring"


def test_job_creation_input_ref(jobbing: Jobbing) -> None:
    # Something that this machine answers with JSON.
    address = f"{jobbing.service.url}/ogc/conformance"
    body = {"inputs": {"thing": {"href": address, "type": "application/json"}}, "response": "document"}
    assert "conformsTo" in jobbing.execute(body).json()["thing"]["value"]


def test_job_creation_input_validation(jobbing: Jobbing) -> None:
    jobbing.execute(call(jobbing.echo))
    name = next(name for name, one in jobbing.echo["inputs"].items() if "contentMediaType" in one["schema"])
    body = call(jobbing.echo)
    body["inputs"][name] = {"type": f"wrong/type_{uuid4()}"}
    answer = jobbing.execute(body, 400)
    assert answer.headers["Content-Type"] == "application/json"
    check("exception", answer.json())
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/inputs/{name}"]


def test_job_creation_inputs(jobbing: Jobbing) -> None:
    jobbing.execute(call(jobbing.echo))


def test_job_creation_op(jobbing: Jobbing) -> None:
    answer = jobbing.execute(call(jobbing.echo), 201, Prefer="Respond-Async , handling=lenient")
    check("status", jobbing.json(answer.headers["Location"]))


def test_job_creation_request(jobbing: Jobbing) -> None:
    check("status", jobbing.json(jobbing.started(call(jobbing.echo))))


def test_job_creation_success_async(jobbing: Jobbing) -> None:
    found = jobbing.ended(jobbing.started(call(jobbing.echo)))
    check("status", found)
    assert (found["status"], found["progress"]) == ("successful", 100)


def test_job_creation_sync_document(jobbing: Jobbing) -> None:
    answer = jobbing.execute(call(jobbing.echo, response="document"))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["message"] == "teststring"


def test_job_creation_sync_raw_mixed_multi(jobbing: Jobbing) -> None:
    outputs = {"message": {"transmissionMode": "value"}, "thing": {"transmissionMode": "reference"}}
    body = {"inputs": texts(jobbing.echo), "outputs": outputs, "response": "raw"}
    answer = jobbing.http.post(ECHO, json=body)
    assert answer.headers["Content-Type"].startswith("multipart/related")
    message, thing = answer.text.split("--ler-part")[1:3]
    assert "Content-Type: text/plain" in message
    assert message.endswith("\r\n\r\nteststring\r\n")
    assert thing.endswith("\r\n\r\n\r\n")
    location = re.search(r"Content-Location: (\S+)", thing)
    assert location
    assert jobbing.http.get(location[1]).text == "teststring"


def test_job_creation_sync_raw_ref(jobbing: Jobbing) -> None:
    outputs = {"message": {"transmissionMode": "reference"}}
    answer = jobbing.execute({"inputs": texts(jobbing.echo), "outputs": outputs, "response": "raw"}, 204)
    link = re.fullmatch(r'<(\S+)>; rel="message"', answer.headers["Link"])
    assert link
    assert jobbing.http.get(link[1]).text == "teststring"


def test_job_creation_sync_raw_value_multi(jobbing: Jobbing) -> None:
    # Who takes nothing but JSON is given a document.
    assert jobbing.execute(call(jobbing.echo, response="raw")).json()["message"] == "teststring"
    answer = jobbing.http.post(ECHO, json=call(jobbing.echo, response="raw"))
    assert answer.headers["Content-Type"].startswith("multipart/related")
    assert answer.text.count("Content-ID:") == len(texts(jobbing.echo))


def test_job_creation_sync_raw_value_one(jobbing: Jobbing) -> None:
    first = next(iter(jobbing.echo["inputs"]))
    body = {"inputs": {first: "teststring"}, "outputs": by_value(jobbing.echo, first), "response": "raw"}
    assert "teststring" in jobbing.execute(body).text
    assert jobbing.http.post(ECHO, json=body).text == "teststring"


def test_job_exception_no_such_job(jobbing: Jobbing) -> None:
    answer = jobbing.json(f"/ogc/jobs/invalid-job-{uuid4()}", 404)
    check("exception", answer)
    assert answer["type"] == f"{EXCEPTIONS}no-such-job"
    # Where the suite looks for it.
    check("exception", jobbing.json(f"/ogc/processes/invalid-job-{uuid4()}", 404))


def test_job_op(jobbing: Jobbing) -> None:
    assert jobbing.json(jobbing.started(call(jobbing.echo)))["processID"] == "echo"


def test_job_results_no_such_job(jobbing: Jobbing) -> None:
    answer = jobbing.json(f"/ogc/jobs/{uuid4()}/results", 404)
    check("exception", answer)
    assert answer["type"] == f"{EXCEPTIONS}no-such-job"
    check("exception", jobbing.json(f"/ogc/processes/invalid-job-{uuid4()}/results", 404))


def test_job_results_exception_results_not_ready(jobbing: Jobbing) -> None:
    job = jobbing.started({"inputs": {"message": "teststring", "pause": 5}, "response": "raw"})
    assert "results" not in {link["rel"] for link in jobbing.json(job)["links"]}
    answer = jobbing.json(f"{job}/results", 404)
    check("exception", answer)
    assert answer["type"] == f"{EXCEPTIONS}result-not-ready"
    assert jobbing.http.delete(job).status_code == 200


def test_job_results_failed(jobbing: Jobbing) -> None:
    check("exception", jobbing.execute({"invalid-execute-request": "true)"}, 400).json())
    address = "/ogc/processes/excavation-request/execution"
    days = {"period_from": "2026-12-10", "period_to": "2026-12-11", "purpose": "x"}
    job = jobbing.started({"inputs": days}, address)
    assert jobbing.ended(job)["status"] == "failed"
    answer = jobbing.json(f"{job}/results", 422)
    check("exception", answer)
    assert [error["pointer"] for error in answer["errors"]] == ["/inputs/area"]


def test_job_results(jobbing: Jobbing) -> None:
    job = jobbing.started(call(jobbing.echo))
    found = jobbing.ended(job)
    check("status", found)
    results = next(link["href"] for link in found["links"] if link["rel"] == RESULTS)
    assert jobbing.json(results)["message"] == "teststring"


def test_job_results_async_document(jobbing: Jobbing) -> None:
    job = jobbing.started(call(jobbing.echo, response="document"))
    jobbing.ended(job)
    assert jobbing.http.get(f"{job}/results").json()["message"] == "teststring"


def test_job_results_async_raw_mixed_multi(jobbing: Jobbing) -> None:
    outputs = {"message": {"transmissionMode": "value"}, "thing": {"transmissionMode": "reference"}}
    job = jobbing.started({"inputs": texts(jobbing.echo), "outputs": outputs, "response": "raw"})
    jobbing.ended(job)
    answer = jobbing.http.get(f"{job}/results")
    assert answer.headers["Content-Type"].startswith("multipart/related")
    assert f"Content-Location: {job}/results/thing" in answer.text


def test_job_results_async_raw_ref(jobbing: Jobbing) -> None:
    outputs = {"message": {"transmissionMode": "reference"}}
    job = jobbing.started({"inputs": texts(jobbing.echo), "outputs": outputs, "response": "raw"})
    jobbing.ended(job)
    answer = jobbing.http.get(f"{job}/results", headers=JSON)
    assert (answer.status_code, answer.headers["Link"]) == (204, f'<{job}/results/message>; rel="message"')


def test_job_results_async_raw_value_multi(jobbing: Jobbing) -> None:
    job = jobbing.started(call(jobbing.echo, response="raw"))
    jobbing.ended(job)
    answer = jobbing.http.get(f"{job}/results")
    assert answer.headers["Content-Type"].startswith("multipart/related")
    assert answer.text.count("Content-ID:") == len(texts(jobbing.echo))


def test_job_results_async_raw_value_one(jobbing: Jobbing) -> None:
    body = {"inputs": texts(jobbing.echo), "outputs": by_value(jobbing.echo, "message"), "response": "raw"}
    job = jobbing.started(body)
    found = jobbing.json(job)
    while RESULTS not in {link["rel"] for link in found["links"]}:
        # The suite goes from link to link, and fails where there is neither.
        found = jobbing.json(next(link["href"] for link in found["links"] if link["rel"] == "monitor"))
    assert jobbing.http.get(f"{job}/results").text == "teststring"


def test_job_results_sync(jobbing: Jobbing) -> None:
    # The suite cannot read a Link header as it is written (RFC 8288); who says a preference gets one.
    assert "Link" not in jobbing.execute(call(jobbing.echo)).headers
    answer = jobbing.execute(call(jobbing.echo), Prefer="respond-sync")
    link = re.fullmatch(r"<(\S+)>; rel=monitor", answer.headers["Link"])
    assert link
    assert jobbing.json(link[1])["status"] == "successful"


def test_job_success(jobbing: Jobbing) -> None:
    check("status", jobbing.json(jobbing.started(call(jobbing.echo))))
