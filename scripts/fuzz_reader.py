#!/usr/bin/env python3
"""Feed the reader with inputs of a coverage-guided fuzzer: it may refuse a file, never crash or hang.

Needs atheris, which is no dependency of the platform: `.venv/bin/pip install atheris` (Linux, CPython; it brings
libFuzzer). Run `.venv/bin/python scripts/fuzz_reader.py CORPUS -max_len=20000 -timeout=10 -rss_limit_mb=500`; CORPUS is a
folder with a few valid answers, the more of the model they use the better.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ingest", "ler"]):
    from ingest.check import check_file
    from ler.errors import RefusedError
    from ler.settings import Settings

COVERAGE = Settings().coverage


def main() -> None:
    """Fuzz until stopped."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzzed.gml"

        def check(content: bytes) -> None:
            path.write_bytes(content)
            try:
                result = check_file(path, coverage=COVERAGE)
            except RefusedError:
                return
            for finding in result.findings.kept:
                str(finding)

        atheris.Setup(sys.argv, check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
