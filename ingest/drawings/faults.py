"""What is wrong with a drawing, as the child tells it: codes of `ingest/rules/drawing.toml` with values."""

from dataclasses import dataclass, field

from ingest.severity import Severity


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; an error keeps the drawing out, a warning is told."""

    code: str
    found: str = ""
    wanted: str = ""
    severity: Severity = Severity.ERROR


@dataclass(slots=True)
class Faults:
    """The faults of one drawing."""

    all: list[Fault] = field(default_factory=list)

    def error(self, code: str, found: object = "", wanted: object = "") -> None:
        """Add what keeps the drawing out."""
        self.all.append(Fault(code, str(found), str(wanted)))

    def warn(self, code: str, found: object = "", wanted: object = "") -> None:
        """Add what is only told."""
        self.all.append(Fault(code, str(found), str(wanted), Severity.WARNING))

    @property
    def refused(self) -> bool:
        """Whether the drawing is kept out."""
        return any(fault.severity is Severity.ERROR for fault in self.all)


class UnreadableError(Exception):
    """The pixels cannot be decoded; the text is of a parser, for the log only."""
