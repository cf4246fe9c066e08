"""Turns of those that ask a database at once: few, as long as they are quick, and more when some are slow.

A database answers quick questions soonest when about as many are asked as it has processors: each more costs it the memory
that the others have at hand (8 instead of 3 on two processors: twice the time for each answer). Slow ones must not make
quick ones wait, and so do not count among the few.
"""

import asyncio
from collections import deque
from itertools import count
from typing import Final

from ler.errors import UnavailableError

_SLOW_S: Final = 0.05
"""A turn that takes longer is slow."""


class Turns:
    """`usual` quick turns at a time, `most` in all; for the callers of one event loop, who wait in the order they came."""

    def __init__(self, usual: int, most: int, *, patience_s: float) -> None:
        self._usual = min(usual, most)
        self._most = most
        self._patience_s = patience_s
        self._numbers = count()
        self._quick: dict[int, float] = {}
        """Turn -> when it began, the oldest first."""
        self._slow: set[int] = set()
        self._waiting: deque[tuple[float, asyncio.Future[int]]] = deque()
        self._is_watched = False

    def take_free(self) -> int | None:
        """Return a turn when there is one for which nobody waits."""
        if self._waiting or not self._has_room():
            return None
        return self._new(asyncio.get_running_loop().time())

    async def take(self) -> int:
        """Return a turn, to be given back; UnavailableError when there was none within the patience."""
        turn = self.take_free()
        if turn is not None:
            return turn
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[int] = loop.create_future()
        self._waiting.append((loop.time(), mine))
        if not self._is_watched:
            self._is_watched = True
            loop.call_later(_SLOW_S, self._watch, loop)
        try:
            return await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self.give(mine.result())
            raise

    def give(self, turn: int) -> None:
        """Give a turn back, for those that wait."""
        if self._quick.pop(turn, None) is None:
            self._slow.discard(turn)
        if self._waiting:
            self._go_on(asyncio.get_running_loop().time())

    def _has_room(self) -> bool:
        return len(self._quick) < self._usual and len(self._quick) + len(self._slow) < self._most

    def _new(self, now: float) -> int:
        turn = next(self._numbers)
        self._quick[turn] = now
        return turn

    def _go_on(self, now: float) -> None:
        while self._waiting and self._has_room():
            _, next_one = self._waiting.popleft()
            if not next_one.done():
                next_one.set_result(self._new(now))

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """While some wait: tell who has waited too long, and let others pass those that are slow."""
        now = loop.time()
        for turn in [turn for turn, began in self._quick.items() if began <= now - _SLOW_S]:
            del self._quick[turn]
            self._slow.add(turn)
        self._go_on(now)
        while self._waiting and self._waiting[0][0] <= now - self._patience_s:
            _, late = self._waiting.popleft()
            if not late.done():
                late.set_exception(UnavailableError("The database is too busy."))
        self._is_watched = bool(self._waiting)
        if self._is_watched:
            loop.call_later(_SLOW_S, self._watch, loop)
