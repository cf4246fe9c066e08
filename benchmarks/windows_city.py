#!/usr/bin/env python3
"""How long a year of planned works of a city takes to be planned, and how good the plan is.

    PYTHONPATH=. python benchmarks/windows_city.py [--works 10000] [--blocks 70] [--processes 2]

A made-up grid of streets (`tests/window_city.py`), the same each time. Prints what the windows save, how far from the best
the plan may be, how long it took, and how long one changed work takes to be planned again; the exit code is 1 when a target
is missed. Times are wall and processor: on a machine that others use too, only the second says something.
"""

import argparse
import resource
import statistics
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Final

from conflicts.windows.again import Standing, plan_around, replan
from conflicts.windows.plan import Brief, Component, Plan, plan_windows
from ler.domain.works import WorkRules
from ler.settings import Settings
from tests.window_city import CALENDAR, TODAY, city_restrictions, city_works

MAX_S: Final = 60.0
MAX_MEAN_GAP: Final = 0.05
MAX_REPLAN_S: Final = 2.0
SEED: Final = 1
CHANGES: Final = 25


def main() -> int:
    """Plan, change, print, judge."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--works", type=int, default=10_000)
    options.add_argument("--blocks", type=int, default=70, help="of 120 m, each way")
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    brief = Brief(
        works=city_works(SEED, chosen.works, chosen.blocks),
        today=TODAY,
        work_rules=WorkRules(CALENDAR, Settings().coverage),
        restrictions=city_restrictions(SEED, chosen.works // 50, chosen.blocks),
    )
    wall, used = time.perf_counter(), _processor_s()
    plan = plan_windows(brief, processes=chosen.processes)
    wall, used = time.perf_counter() - wall, _processor_s() - used
    together = [part for part in plan.components if len(part.work_ids) > 1]
    mean_gap = statistics.mean(part.gap for part in together)
    _print_plan(plan, together)
    say(f"planned in {wall:.1f} s, {used:.1f} s of processors, on {chosen.processes} processes")
    slowest = _replan_all(plan, brief)
    good = wall <= MAX_S and mean_gap <= MAX_MEAN_GAP and slowest <= MAX_REPLAN_S
    say("targets met" if good else "a target is missed")
    return 0 if good else 1


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def _processor_s() -> float:
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _print_plan(plan: Plan, together: list[Component]) -> None:
    joins = [join for part in plan.components for join in part.joins]
    value, bound = (sum(getattr(part, name) for part in together) for name in ("value", "bound"))
    greedy = sum(part.greedy_value for part in together)
    sizes = sorted((len(part.work_ids) for part in together), reverse=True)
    gaps = [part.gap for part in together]
    say(f"works {len(plan.placements)}, components of two and more {len(together)}, largest {sizes[:5]}")
    say(f"cut into parts: {sum(part.parts > 1 for part in together)} components")
    say(f"windows {len({join.pilot for join in joins})}, works that join {len(joins)}")
    say(
        f"saved at least: {sum(join.days for join in joins):,.0f} days of occupied road,"
        f" {sum(join.m2 for join in joins):,.0f} m2, {sum(join.opening for join in joins):,} openings,"
        f" DKK {sum(join.dkk for join in joins):,} before and {value:,} after moves and works without days"
    )
    say(f"greedy {greedy:,}, plan {value:,}, bound {bound:,}")
    say(
        f"gap: mean {statistics.mean(gaps):.2%}, optimal {sum(gap <= 0 for gap in gaps)} of {len(gaps)},"
        f" of the whole {(bound - value) / bound:.2%}"
    )
    say(f"findings {dict(sorted(Counter(found.code for found in plan.findings).items()))}")


def _replan_all(plan: Plan, brief: Brief) -> float:
    """Change works all over the city one by one, some of the largest component among them; return the slowest.

    That is with the plan from before. With its windows alone, as `ler windows propose --work` has them, is told beside it.
    """
    largest = max(plan.components, key=lambda part: len(part.work_ids)).work_ids[0]
    works = {work.id: work for work in brief.works}
    step = max(1, len(brief.works) // CHANGES)
    pilots = {join.joiner: join.pilot for part in plan.components for join in part.joins}
    told = Standing({one: plan.placements[one].start for one in {*pilots, *pilots.values()}}, pilots)
    slowest: list[float] = []
    for name, again in (
        ("with the plan", lambda after, changed: replan(plan, after, {changed})),
        ("with its windows", lambda after, changed: plan_around(after, {changed}, told)),
    ):
        took: list[tuple[float, float]] = []
        for changed in (largest, *(work.id for work in brief.works[::step])):
            later = replace(works[changed], latest_end=works[changed].latest_end + timedelta(days=7))
            after = replace(brief, works=list((works | {changed: later}).values()))
            begun, used = time.perf_counter(), time.process_time()
            again(after, changed)
            took.append((time.perf_counter() - begun, time.process_time() - used))
        for unit, times in zip(("s", "s of processors"), zip(*took, strict=True), strict=True):
            say(
                f"{name}, one work of the largest component again: {times[0]:.2f} {unit}; others: median"
                f" {statistics.median(times[1:]):.2f} {unit}, slowest {max(times[1:]):.2f} {unit}"
            )
        slowest.append(max(wall for wall, _ in took))
    return max(slowest)


if __name__ == "__main__":
    sys.exit(main())
