"""Routes of uploads and networks."""

from uuid import UUID

from tests.acceptance.guard_rows.row import Row
from tests.answers import answer
from tests.service import UPLOADS, Service

GML = answer().encode()


def an_upload(service: Service, _: UUID, token: str) -> dict[str, str]:
    """An upload that awaits its parts."""
    return {"upload_id": service.client(token).announce(GML).headers["Location"].rpartition("/")[2]}


ROWS = {
    ("GET", UPLOADS): Row(200),
    ("POST", UPLOADS): Row(201, {"Idempotency-Key": "k"}, {"file_name": "a.gml", "size": 9}),
    ("GET", UPLOADS + "/{upload_id}"): Row(200, make=an_upload),
    ("DELETE", UPLOADS + "/{upload_id}"): Row(200, make=an_upload),
    ("GET", UPLOADS + "/{upload_id}/events"): Row(200, make=an_upload),
    ("HEAD", UPLOADS + "/{upload_id}/content"): Row(204, make=an_upload),
    ("PATCH", UPLOADS + "/{upload_id}/content"): Row(
        204, {"Upload-Offset": "0"}, content=GML[:10], make=an_upload
    ),
    ("PUT", UPLOADS + "/{upload_id}/content"): Row(202, content=GML, make=an_upload),
    ("GET", UPLOADS + "/{upload_id}/comparison"): Row(409, make=an_upload),
    ("POST", UPLOADS + "/{upload_id}/approve"): Row(409, {"If-Match": "*"}, make=an_upload),
    ("POST", UPLOADS + "/{upload_id}/reject"): Row(409, {"If-Match": "*"}, make=an_upload),
    ("GET", UPLOADS + "/{upload_id}/report"): Row(409, make=an_upload),
    ("GET", "/api/v1/network/versions"): Row(200),
    ("GET", "/api/v1/network/features"): Row(404),
    ("GET", "/api/v1/network/quality"): Row(200),
    ("GET", "/api/v1/network/quality/picture"): Row(404),
    ("GET", "/api/v1/network/comparison"): Row(404, query={"from": "1", "to": "2"}),
}
