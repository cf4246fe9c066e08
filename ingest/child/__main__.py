"""The reading process: it gives up its rights, then answers requests until its parent has enough.

The first line on standard input is the order (limits, format, files), each further line a request for the layers or
for the batches of one. Standard output carries frames and nothing else.
"""

import json
import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import IO, Any

from ingest.child.confinement import confine, die_with_parent, limit_resources
from ingest.child.limits import ChildLimits
from ingest.child.options import ReadOptions
from ler.errors import RefusedError


def main() -> None:
    """Serve one file until standard input ends."""
    order = json.loads(sys.stdin.readline())
    limit_resources(ChildLimits(**order["limits"]))
    die_with_parent(order["lifeline"])
    answers = _own_output()
    sys.meta_path.insert(0, _Without({"geopandas", "pandas"}))
    # Libraries are loaded before the files are closed, and before anything of the owner's is open.
    from ingest.child.serve import Server  # noqa: PLC0415

    files = [Path(path) for path in order["files"]]
    server = Server(
        order["format"], files[0], ChildLimits(**order["limits"]), ReadOptions(**order["options"]), answers
    )
    server.hello(confine(files, Path(order["folder"])))
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        try:
            server.answer(request)
        except RefusedError as refused:
            server.refuse(refused)


class _Without(MetaPathFinder):
    """Hides modules that pyogrio and pyarrow load when they are there: unneeded, half the time and memory of a start."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        """Nothing, with an error for the hidden ones."""
        if fullname in self._names:
            raise ModuleNotFoundError(fullname, name=fullname)


def _own_output() -> IO[bytes]:
    """The pipe to the parent, out of the way of libraries that print."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    main()
