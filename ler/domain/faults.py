"""Faults of what somebody sent: each with a code that stays, the place as a JSON pointer, and how to mend it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ler.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    code: str
    """In kebab-case, stable across releases and languages."""
    pointer: str
    """JSON pointer (RFC 6901) into what was sent; empty for the whole."""
    message: str


class FaultsError(RefusedError):
    """What was given is refused for one or more faults; the code is that of the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].code, "; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)


def refuse_faults(faults: Sequence[Fault]) -> None:
    """FaultsError when there are any."""
    if faults:
        raise FaultsError(faults)
