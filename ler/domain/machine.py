"""State machines as tables: which event leads from where to where, and who may cause it.

Pure and total: an event that a state does not know, or that somebody else may cause only, is refused; nothing is
ignored in silence.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ler.errors import RefusedError

_MANY: Final = 3
"""From so many states on, a diagram draws one arrow for all."""


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
    """Return the machine as a state diagram in Mermaid; each arrow tells the event and who causes it.

    What several states have in common starts at one box that names them all.
    """
    states = list(type(machine.start))
    lines = ["stateDiagram-v2", f"    [*] --> {_id(machine.start)}"]
    lines += [f"    {_id(state)}: {state}" for state in states if _id(state) != state]
    lines += _arrows(machine)
    lines += [f"    {_id(state)} --> [*]" for state in states if machine.is_final(state)]
    return "\n".join(lines)


def _arrows[S: StrEnum, E: StrEnum](machine: Machine[S, E]) -> Iterator[str]:
    """One arrow from each set of states to each state, with all events that lead along it."""
    sources: dict[tuple[E, Step[S]], list[S]] = {}
    for (source, event), step in machine.steps.items():
        sources.setdefault((event, step), []).append(source)
    labels: dict[tuple[tuple[S, ...], S], list[str]] = {}
    for (event, step), together in sources.items():
        label = f"{event} ({', '.join(sorted(step.by))})"
        for start in [tuple(together)] if len(together) >= _MANY else [(one,) for one in together]:
            labels.setdefault((start, step.target), []).append(label)
    for start in dict.fromkeys(start for start, _ in labels if len(start) >= _MANY):
        yield f"    {_box(start)}: any of {', '.join(start)}"
    for (start, target), texts in labels.items():
        yield f"    {_box(start)} --> {_id(target)}: {'<br>'.join(texts)}"


def _box(states: Sequence[StrEnum]) -> str:
    return _id(states[0]) if len(states) == 1 else f"any_{'_'.join(state[0] for state in states)}"


def _id(state: StrEnum) -> str:
    return state.value.replace("-", "_")
