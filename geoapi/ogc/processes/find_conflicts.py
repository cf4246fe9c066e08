"""`find-conflicts`: which lines the dig of a request of one's own comes too near, of those that were delivered for it.

They are found by the job that makes the request's package; until it has made the one of the present revision, this
refuses: that none was found yet must not be read as there being none.
"""

from typing import Final
from uuid import UUID

from geoapi.ogc.processes.conflict_views import OUTPUTS, conflict_results
from geoapi.ogc.processes.process import Process, Results, Task, Value
from ler.domain.access import Scope
from ler.domain.faults import Fault, FaultsError
from ler.errors import NotFoundError, RefusedError


def _find(task: Task) -> Results:
    # It reads terrain models, for whose library no other call is to wait.
    from conflicts.stored import list_conflicts  # noqa: PLC0415

    try:
        with task.acting() as connection:
            kept = list_conflicts(connection, UUID(task.inputs["request"]))
    except NotFoundError:
        raise FaultsError([Fault("request-unknown", "/request", "there is no such request")]) from None
    if kept.found_at_revision != kept.revision:
        raise RefusedError(
            "conflicts-not-found-yet", f"the request is at revision {kept.revision}; wait for its package"
        )
    return conflict_results(kept.rows, task.language)


PROCESS: Final = Process(
    id="find-conflicts",
    version="1.0.0",
    titles={"en": "Conflicts of a request", "da": "Konflikter for en forespørgsel"},
    descriptions={
        "en": "Tells which of the lines that were delivered for a request its dig comes too near, and where.",
        "da": "Fortæller, hvilke af de udleverede ledninger gravearbejdet kommer for tæt på, og hvor.",
    },
    inputs={
        "request": Value(
            {"en": "Id of a request of your own", "da": "Id på en af dine forespørgsler"},
            {"type": "string", "format": "uuid"},
        )
    },
    outputs=OUTPUTS,
    scope=Scope.REQUEST_READ,
    work=_find,
)
