"""Turns at a database: few at once, slow ones not among them, and nobody waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ler.db.turns import Turns
from ler.errors import UnavailableError


def _in_turns(
    work: Callable[[Turns], Awaitable[None]], *, usual: int = 2, most: int = 4, patience_s: float = 5.0
) -> None:
    async def worked() -> None:
        await work(Turns(usual, most, patience_s=patience_s))

    asyncio.run(worked())


async def _waits(take: "asyncio.Task[int]") -> bool:
    """Whether it still waits when everything that could go on has."""
    for _ in range(5):
        await asyncio.sleep(0)
    return not take.done()


def test_who_comes_first_is_first_and_as_many_as_are_usual_go_at_once() -> None:
    async def work(turns: Turns) -> None:
        first, _ = [await turns.take() for _ in range(2)]
        third, fourth = (asyncio.create_task(turns.take()) for _ in range(2))
        assert await _waits(third)
        turns.give(first)
        assert not await _waits(third)
        assert await _waits(fourth)
        turns.give(third.result())
        await fourth

    _in_turns(work)


def test_slow_ones_let_others_pass_up_to_the_most() -> None:
    async def work(turns: Turns) -> None:
        slow = [await turns.take() for _ in range(2)]
        passing = [await turns.take() for _ in range(2)]
        fifth = asyncio.create_task(turns.take())
        await asyncio.sleep(0.15)
        assert await _waits(fifth)
        turns.give(passing[0])
        # Those that passed became slow too, and one place of the most is free.
        await fifth
        for turn in (*slow, passing[1], fifth.result()):
            turns.give(turn)
        again = [await turns.take() for _ in range(2)]
        sixth = asyncio.create_task(turns.take())
        assert await _waits(sixth)
        turns.give(again[0])
        await sixth

    _in_turns(work)


def test_too_long_a_wait_is_told_and_leaves_the_turns_as_they_were() -> None:
    async def work(turns: Turns) -> None:
        only = await turns.take()
        with pytest.raises(UnavailableError):
            await turns.take()
        turns.give(only)
        turns.give(await turns.take())

    _in_turns(work, most=1, patience_s=0.1)


def test_who_stops_waiting_takes_no_turn() -> None:
    async def work(turns: Turns) -> None:
        only = await turns.take()
        gone, late = (asyncio.create_task(turns.take()) for _ in range(2))
        assert await _waits(late)
        gone.cancel()
        turns.give(only)
        turns.give(await late)

        # Given a turn and cancelled before it could go on: the turn is not lost.
        only = await turns.take()
        gone = asyncio.create_task(turns.take())
        assert await _waits(gone)
        turns.give(only)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        turns.give(await turns.take())

    _in_turns(work, most=1)
