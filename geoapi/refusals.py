"""Refusals that matter to who looks for misuse, recorded where what was refused is undone.

Each is written in a transaction of its own. Who is refused many times in a minute is told to wait and recorded no
further, so that nobody fills the trail; a call that is in order is never held up by that.
"""

import json
import logging
from typing import Any, Final

from fastapi import Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from geoapi.platform import platform_of
from geoapi.problems import Problem
from ler.db.engine import transaction
from ler.errors import LerError
from ler.services.principals import Principal

_RECORD: Final = text(
    "SELECT ler.record_refusal(:what, :organisation, :object, CAST(:details AS jsonb), :bucket, :most)"
)
_LOG: Final = logging.getLogger("ler.http")
_WHAT: Final = {
    "area-not-granted": "request",
    "client-invalid": "client",
    "login-refused": "login",
    "mandate-missing": "call",
    "mandate-not-enough": "call",
    "member-unknown": "login",
    "origin-refused": "call",
    "request-limit": "request",
    "scope-exceeded": "token",
    "scope-missing": "call",
    "second-factor-missing": "login",
    "token-invalid": "token",
}
"""What was refused, by the kind of problem; others are recorded by nobody, or where they are found."""


def record_refusal(request: Request, problem: Problem, error: Exception) -> Problem:
    """Record a refusal that matters; return the problem that is answered, which may be that it happened too often."""
    what = _WHAT.get(problem.slug)
    if what is None:
        return problem
    found = getattr(request.state, "caller", None)
    caller = found if isinstance(found, Principal) else None
    organisation = getattr(error, "organisation_id", None) or (caller.calling_id if caller else None)
    token = getattr(error, "token_id", None) or (caller.token_id if caller else None)
    details: dict[str, Any] = {
        "code": problem.slug,
        "reason": getattr(error, "reason", None),
        "method": request.method,
        # As the application knows it: an address that was called may hold a secret.
        "route": getattr(request.scope.get("route"), "path", None),
        "acting_for": str(caller.organisation_id) if caller and caller.provider_id else None,
        "subject": getattr(error, "subject", None),
    }
    address = request.client.host if request.client else "nobody"
    values = {
        # A token that never was one is a guess, and nobody's: counted, not recorded.
        "what": None if problem.slug == "token-invalid" and organisation is None else what,
        "organisation": organisation,
        "object": token,
        "details": json.dumps({name: value for name, value in details.items() if value is not None}),
        "bucket": f"refused {caller.calling_id if caller else address}"[:200],
        "most": platform_of(request).settings.refusals_per_minute,
    }
    try:
        with transaction(platform_of(request).databases.app, None) as connection:
            goes_on = connection.execute(_RECORD, values).scalar_one()
    except (LerError, SQLAlchemyError):
        _LOG.exception("request %s: its refusal could not be recorded", request.state.request_id)
        return problem
    return problem if goes_on else Problem("rate-limited", headers={"Retry-After": "60"})
