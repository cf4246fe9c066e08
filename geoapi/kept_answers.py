"""Answers that are kept under an Idempotency-Key, as they are sent."""

from starlette.responses import JSONResponse, Response

from ler.services.idempotency import KeptAnswer


def kept_response(answer: KeptAnswer) -> Response:
    """Return an answer, which says whether it was given before."""
    replayed = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return JSONResponse(answer.body, answer.status, headers=answer.headers | replayed)
