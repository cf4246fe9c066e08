"""What a service refuses, as one error that carries its problem document (RFC 9457)."""

from typing import Any, Final

import httpx

from ler.errors import RefusedError

NOT_OURS: Final = "no-answer-of-ours"
"""The code of an answer that is no problem document."""


class ProblemError(RefusedError):
    """A service refused a call, or its answer is none of a service of ours."""

    def __init__(self, document: dict[str, Any], status: int) -> None:
        if "type" in document:
            code = str(document["type"]).rpartition("/")[2]
            super().__init__(code, _said(document))
        else:
            super().__init__(NOT_OURS, f"the server answered {status} and not as ours do")
        self.document = document
        """The problem document; empty when the answer was none."""
        self.status = status
        """The HTTP status."""


def problem_of(answer: httpx.Response) -> ProblemError:
    """Return the refusal in an answer whose body has been read."""
    try:
        read = answer.json()
    except ValueError:
        read = {}
    return ProblemError(read if isinstance(read, dict) else {}, answer.status_code)


def _said(document: dict[str, Any]) -> str:
    """Each thing that is wrong, with its place; else what the problem says of itself, and how to mend it."""
    errors = document.get("errors") or ()
    told = "; ".join(f"{one.get('pointer', '')} {one.get('detail', '')}".strip() for one in errors)
    said = document.get("detail") or document.get("title") or "refused"
    return told or f"{said}. {document.get('mend', '')}".replace("..", ".").strip()
