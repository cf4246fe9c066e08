"""State machines as tables: which event leads from where to where, and who may cause it.

Pure and total: an event that a state does not know, or that somebody else may cause only, is refused; nothing is
ignored in silence.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ler.errors import RefusedError


class Actor(StrEnum):
    """Who causes an event."""

    REQUESTER = "requester"
    OWNER = "owner"
    """Or its service provider under a mandate."""
    PLATFORM = "platform"
    """A timer, or an answer from a network that the owner keeps here."""
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Transition[S: StrEnum, E: StrEnum]:
    """From some states, an event leads to one."""

    event: E
    sources: Sequence[S]
    target: S
    by: Sequence[Actor]


@dataclass(frozen=True, slots=True)
class Step[S: StrEnum]:
    """What an event does in one state."""

    target: S
    by: frozenset[Actor]


class Machine[S: StrEnum, E: StrEnum]:
    """A state machine; made once from its table, which may name no pair of state and event twice."""

    def __init__(self, name: str, start: S, transitions: Sequence[Transition[S, E]]) -> None:
        self.name = name
        self.start = start
        steps: dict[tuple[S, E], Step[S]] = {}
        for transition in transitions:
            for source in transition.sources:
                key = (source, transition.event)
                if key in steps:
                    raise ValueError(f"{name}: {source} knows {transition.event} twice")
                steps[key] = Step(transition.target, frozenset(transition.by))
        self.steps: Mapping[tuple[S, E], Step[S]] = MappingProxyType(steps)

    def after(self, state: S, event: E, actor: Actor) -> S:
        """Return the state after an event.

        RefusedError: `event-not-possible` in this state, `event-not-yours` for somebody who may not cause it.
        """
        step = self.steps.get((state, event))
        if step is None:
            possible = ", ".join(self.events(state)) or "nothing"
            raise RefusedError(
                "event-not-possible", f"{self.name} is {state}: {event} is not possible, only {possible}"
            )
        if actor not in step.by:
            allowed = " or ".join(sorted(step.by))
            raise RefusedError(
                "event-not-yours", f"{self.name} is {state}: {event} is for the {allowed}, not the {actor}"
            )
        return step.target

    def events(self, state: S) -> list[E]:
        """Return what can happen in a state."""
        return [event for source, event in self.steps if source is state]

    def is_final(self, state: S) -> bool:
        """Whether nothing leads on."""
        return not self.events(state)


def mermaid[S: StrEnum, E: StrEnum](machine: Machine[S, E]) -> str:
    """Return the machine as a state diagram in Mermaid; each arrow tells the event and who causes it."""
    states = list(type(machine.start))
    lines = ["stateDiagram-v2", f"    [*] --> {_id(machine.start)}"]
    lines += [f"    {_id(state)}: {state}" for state in states]
    lines += list(_arrows(machine))
    lines += [f"    {_id(state)} --> [*]" for state in states if machine.is_final(state)]
    return "\n".join(lines)


def _arrows[S: StrEnum, E: StrEnum](machine: Machine[S, E]) -> Iterator[str]:
    """One arrow for each pair of states, with all events that lead along it."""
    labels: dict[tuple[S, S], list[str]] = {}
    for (source, event), step in machine.steps.items():
        labels.setdefault((source, step.target), []).append(f"{event} ({', '.join(sorted(step.by))})")
    for (source, target), texts in labels.items():
        yield f"    {_id(source)} --> {_id(target)}: {'<br>'.join(texts)}"


def _id(state: StrEnum) -> str:
    return state.value.replace("-", "_")
