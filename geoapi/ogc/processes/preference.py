"""How a caller would like to be answered: the header `Prefer` (RFC 7240), with `respond-async` and `wait`."""

from dataclasses import dataclass
from typing import Final

from geoapi.ogc.processes.process import Process

LONGEST_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Preference:
    """What was said; nothing of it must be followed."""

    said: bool = False
    asynchronous: bool = False
    synchronous: bool = False
    wait_s: float = 0.0

    def by_worker(self, process: Process) -> bool:
        """Whether a worker runs the process: as the caller likes, if the process can be run so."""
        if not (process.asynchronous and process.synchronous):
            return process.asynchronous
        return not self.synchronous and (self.asynchronous or self.wait_s > 0)

    def applied(self, *, by_worker: bool) -> dict[str, str]:
        """Return the header that says what of it was followed."""
        followed = [
            *(["respond-async"] if by_worker and self.asynchronous else []),
            *(["respond-sync"] if not by_worker and self.synchronous else []),
            *([f"wait={self.wait_s:g}"] if by_worker and self.wait_s else []),
        ]
        return {"Preference-Applied": ", ".join(followed)} if followed else {}


def preference_of(header: str | None) -> Preference:
    """Return what the header says; what is not understood is passed over, as the standard wants it."""
    words = [word.strip().lower() for word in (header or "").split(",")]
    waits = [
        float(value.strip().strip('"'))
        for name, found, value in (word.partition("=") for word in words)
        if found and name.strip() == "wait" and value.strip().strip('"').isdecimal()
    ]
    return Preference(
        said=any(words),
        asynchronous="respond-async" in words,
        synchronous="respond-sync" in words,
        wait_s=min(waits[0], LONGEST_WAIT_S) if waits else 0.0,
    )
