"""The tables of schema `ler`, by concern, as SQLAlchemy Core; the migrations and this description must agree.

Who may read or write which row is not said here but in `ler/db/sql`: grants and policies are re-applied whole after
every migration, and a table that they forget can be read by nobody.
"""

from ler.db.tables.access import alarm, call_bucket, client, client_key, request_limit, used_assertion
from ler.db.tables.answers import answer_attachment, answer_link
from ler.db.tables.audit import audit_link, audit_unsealed
from ler.db.tables.base import SRID, metadata
from ler.db.tables.conflicts import line_conflict, object_conflict, owner_clearance
from ler.db.tables.damages import (
    damage,
    damage_free_year,
    deviation,
    deviation_photo,
    line_claim,
)
from ler.db.tables.dispensations import dispensation
from ler.db.tables.drawings import drawing, package_drawing
from ler.db.tables.ducts import duct_offer
from ler.db.tables.jobs import ogc_job
from ler.db.tables.networks import (
    network_dataset,
    network_feature,
    network_quality,
    network_version,
    staged_feature,
)
from ler.db.tables.notices import answer_watch, change_task, notice_endpoint, outbox
from ler.db.tables.organisations import PLATFORM_OPERATOR, interest_area, organisation
from ler.db.tables.precautions import owner_precaution, precaution_area, precaution_hit
from ler.db.tables.register import account, contact, grant, mandate
from ler.db.tables.requests import (
    ANSWER_TYPES,
    DELIVERED,
    NO_LINES,
    audit_event,
    excavation_request,
    notice,
    owner_answer,
    owner_request,
    package,
    package_feature,
    package_link,
)
from ler.db.tables.sensitivity import answer_withheld, sensitivity_rule, withheld_feature
from ler.db.tables.uploads import access_token, idempotency_key, upload, upload_event
from ler.db.tables.windows import digging_window, window_work
from ler.db.tables.works import (
    area_subscription,
    planned_work,
    restriction,
    work_conflict,
    work_judgement,
)

__all__ = [
    "ANSWER_TYPES",
    "DELIVERED",
    "NO_LINES",
    "PLATFORM_OPERATOR",
    "SRID",
    "access_token",
    "account",
    "alarm",
    "answer_attachment",
    "answer_link",
    "answer_watch",
    "answer_withheld",
    "area_subscription",
    "audit_event",
    "audit_link",
    "audit_unsealed",
    "call_bucket",
    "change_task",
    "client",
    "client_key",
    "contact",
    "damage",
    "damage_free_year",
    "deviation",
    "deviation_photo",
    "digging_window",
    "dispensation",
    "drawing",
    "duct_offer",
    "excavation_request",
    "grant",
    "idempotency_key",
    "interest_area",
    "line_claim",
    "line_conflict",
    "mandate",
    "metadata",
    "network_dataset",
    "network_feature",
    "network_quality",
    "network_version",
    "notice",
    "notice_endpoint",
    "object_conflict",
    "ogc_job",
    "organisation",
    "outbox",
    "owner_answer",
    "owner_clearance",
    "owner_precaution",
    "owner_request",
    "package",
    "package_drawing",
    "package_feature",
    "package_link",
    "planned_work",
    "precaution_area",
    "precaution_hit",
    "request_limit",
    "restriction",
    "sensitivity_rule",
    "staged_feature",
    "upload",
    "upload_event",
    "used_assertion",
    "window_work",
    "withheld_feature",
    "work_conflict",
    "work_judgement",
]
