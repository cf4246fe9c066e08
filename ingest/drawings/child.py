"""The child process that reads drawings: `python -I -m ingest.drawings.child`, a job on stdin, a result on stdout.

Both are one JSON document. What libraries print goes to stderr. It is confined as all readers of owners' files are
(`ingest.child.confinement`), and its environment is the one of `launcher.py`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from ingest.child.confinement import confine, die_with_parent, limit_resources
from ingest.drawings.limits import DrawingLimits


def main() -> None:
    """Do the one job."""
    told: dict[str, Any] = json.load(sys.stdin)
    # Results go where nothing else is written: a library may print to stdout.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    limits = DrawingLimits(**told["limits"])
    limit_resources(limits.of_child())
    die_with_parent(told["lifeline"])
    with answers:
        json.dump(_do(told, limits), answers)


def _do(told: dict[str, Any], limits: DrawingLimits) -> dict[str, Any]:
    # Loaded within the limits, and before the files are closed.
    from ingest.drawings.faults import Faults, UnreadableError  # noqa: PLC0415 - see above
    from ingest.drawings.work import Job, draw, result_of  # noqa: PLC0415 - as above

    job = Job(
        source=Path(told["source"]),
        driver=told["driver"],
        cog=Path(told["cog"]),
        preview=Path(told["preview"]),
        work=Path(told["work"]),
        placement=tuple(told["placement"]) if told["placement"] else None,
        crs=told["crs"],
        coverage=tuple(told["coverage"]),
        limits=limits,
    )
    confine([job.source], job.work)
    faults = Faults()
    try:
        drawn = draw(job, faults)
    except UnreadableError as error:
        sys.stderr.write(f"{error}\n")
        faults.error("drawing-unreadable")
        drawn = None
    return result_of(drawn, faults)


if __name__ == "__main__":
    main()
