"""Crews: how many works each organisation can have going on, across all components.

An organisation that already has more going on where its works stand is not asked to have fewer, only never more.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np

from conflicts.windows.problem import Crew, Job


class CrewBook:
    """What organisations with a limit have going on, day by day."""

    def __init__(self, limits: Mapping[UUID, int], jobs: Iterable[Job], days: int) -> None:
        self._most: dict[UUID, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self._busy = {owner: np.zeros(days + 1, dtype=np.int64) for owner in limits}
        for job in jobs:
            self.add(job, job.planned, 1)
        for owner, limit in limits.items():
            self._most[owner] = np.maximum(limit, self._busy[owner])

    def add(self, job: Job, start: int, count: int) -> None:
        """Enter a job on its days, or take it out with a count of -1."""
        if job.organisation in self._busy:
            self._busy[job.organisation][start : start + job.days] += count

    def crews(self, jobs: Sequence[Job], *, alone: bool) -> tuple[Crew, ...]:
        """Return the crews of a component's jobs, none of which is entered now; `alone`: as if there were no others."""
        crews: list[Crew] = []
        for owner in sorted({job.organisation for job in jobs} & set(self._busy)):
            members = tuple(number for number, job in enumerate(jobs) if job.organisation == owner)
            free = self._most[owner] if alone else np.maximum(self._most[owner] - self._busy[owner], 0)
            if len(members) > free.min():
                crews.append(Crew(members, tuple(free.tolist())))
        return tuple(crews)

    def has_room(self, jobs: Sequence[Job], starts: Sequence[int]) -> bool:
        """Whether jobs that are not entered find crews on their days beside those that are."""
        used: dict[UUID, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        for job, start in zip(jobs, starts, strict=True):
            if job.organisation in self._busy:
                busy = used.setdefault(job.organisation, self._busy[job.organisation].copy())
                busy[start : start + job.days] += 1
        return all(bool((busy <= self._most[owner]).all()) for owner, busy in used.items())
