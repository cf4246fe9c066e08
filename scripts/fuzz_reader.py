#!/usr/bin/env python3
"""Feed the checker with inputs of a coverage-guided fuzzer: it may refuse a file, never crash or hang.

Needs atheris, which is no dependency of the platform: `.venv/bin/pip install atheris` (Linux, CPython; it brings
libFuzzer). Run, with CORPUS an empty folder that keeps what was found worth keeping:

    cp tests/counterexamples/2.2.0/valid/*.gml CORPUS
    .venv/bin/python scripts/fuzz_reader.py CORPUS -max_len=20000 -timeout=10 -rss_limit_mb=500 -max_total_time=600

Most changes of bytes make XML that no parser takes, which the fuzzer soon knows by heart. So two of three changes are
made to the tree, with the mutations that hold the checker against the official schemas.
"""

import random
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import atheris
from lxml import etree

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["ingest", "ler"]):
    from ingest.check import check_file
    from ingest.report.content import FileReport
    from ingest.report.to_json import json_report
    from ler.errors import RefusedError
    from ler.settings import Settings
from tests.mutations import MUTATIONS

COVERAGE: Final = Settings().coverage
MOST_CHANGES: Final = 4
BYTES_ONE_IN: Final = 3
PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


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
            for language in ("da", "en"):
                json_report([FileReport(path, result)], language)

        atheris.Setup(sys.argv, check, custom_mutator=mutate)
        atheris.Fuzz()


def mutate(content: bytes, longest: int, seed: int) -> bytes:
    """Change the tree when there is one, else, and sometimes anyway, the bytes."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    if chance.randrange(BYTES_ONE_IN):
        with suppress(etree.XMLSyntaxError):
            changed = change_tree(etree.fromstring(content, PARSER), chance)
            if len(changed) <= longest:
                return changed
    return atheris.Mutate(content, longest)


def change_tree(root: etree._Element, chance: random.Random) -> bytes:
    """The document with a few mutations."""
    for _ in range(chance.randint(1, MOST_CHANGES)):
        # A tree that has nothing left of the kind that the mutation wants, or that XML cannot hold.
        with suppress(IndexError, ValueError, AssertionError, AttributeError):
            chance.choice(MUTATIONS)(root, chance)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


if __name__ == "__main__":
    main()
