"""Calls for a worker: put on the queue in the transaction of the change that they are about.

The queue only wakes workers. What is to be done stands in our tables, from which the sweep finds it again when a call
was lost; so a task must do nothing when there is nothing to do.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from ler.db.functions import refusals

QUEUE: Final = "uploads"
CHECK_UPLOAD: Final = "check_upload"
PUBLISH_UPLOAD: Final = "publish_upload"

REQUESTS: Final = "requests"
"""Queue of the packages, with workers of its own: no check of a large file keeps them waiting. `ler.queue_request` puts
jobs on it."""
BUILD_PACKAGES: Final = "build_packages"
"""First the package of all owners, which somebody waits for; it calls for the owners' own."""
MEND_PACKAGES: Final = "mend_packages"
OWNER_PACKAGES: Final = "owner-packages"
"""Queue of the owners' own packages: fifty of one request keep nobody's first package waiting."""
BUILD_OWNER_PACKAGES: Final = "build_owner_packages"

JOBS: Final = "jobs"
"""Queue of the jobs of the OGC API (`ler.services.jobs`)."""
RUN_JOB: Final = "run_job"

_QUEUE_JOB: Final = text("SELECT ler.queue_job(:job, make_interval(secs => :delay_s))")
_QUEUE: Final = text("SELECT ler.queue_upload(:upload, :task, make_interval(secs => :delay_s))")


def queue_upload(connection: Connection, upload_id: UUID, task: str, *, delay_s: float = 0.0) -> bool:
    """Call a worker for an upload of the acting owner; False when it has been called and nobody has come yet.

    `delay_s` is how long nobody comes, for work that just failed.

    NotFoundError for an upload that is not the owner's.
    """
    with refusals({"LE404": "There is no such upload, or it is not yours."}):
        values = {"upload": upload_id, "task": task, "delay_s": delay_s}
        return bool(connection.execute(_QUEUE, values).scalar_one())


def queue_job(connection: Connection, job_id: UUID, *, delay_s: float = 0.0) -> bool:
    """Call a worker for a job of the acting organisation; False and NotFoundError as above."""
    with refusals({"LE404": "There is no such job, or it is not yours."}):
        return bool(connection.execute(_QUEUE_JOB, {"job": job_id, "delay_s": delay_s}).scalar_one())
