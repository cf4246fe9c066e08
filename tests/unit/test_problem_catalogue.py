"""Every refusal in the source has an entry in the catalogue of problems, or stands below with the reason why it needs none."""

import ast
from collections.abc import Iterator
from pathlib import Path

from geoapi.problems import problem_types

ROOT = Path(__file__).resolve().parents[2]
REFUSALS = ("RefusedError", "UnreadableFileError", "ProblemException", "_refused")

BY_COMMAND_ONLY = {
    *("demo-elsewhere", "drawing-refused", "export-empty", "file-exists", "file-missing", "folder-invalid"),
    *("folder-missing", "option-invalid", "request-over", "picture-format", "report-name"),
    *("utility-type-unknown", "audit-file", "audit-empty"),
    *("clearances-unreadable", "conflicts-missing"),
    *("precaution-area-invalid", "precaution-unreadable"),
    *("package-too-large", "package-unreadable", "signature-unreadable"),
    *(
        "drawing-links",
        "drawing-name-taken",
        "file-not-readable",
        "keep-too-short",
        "time-without-zone",
    ),
}
"""Said to who sits at the platform's own command line: its files, its register, its drawings, its tokens; and by `ler.client`."""
OF_REQUESTS = {"event-not-yours"}
"""Of steps that no route takes as yet."""
AS_PARAMETER = {"date-ambiguous"}
"""Told as `parameter-invalid`, with the parameter."""

AS_FINDING = {"coordinate-not-a-number"}
"""Found in a feature, and told in the report of a `network-refused`."""
IN_ERRORS = {"file-ambiguous", "input-unknown", "output-unknown"}
"""Told in `errors` of what a process refuses, with a pointer; the refusal itself has the entry."""

SAFETY = {
    "413": ("archive-limit", "geometry-limit", "body-too-large"),
    "415": ("format-not-supported",),
    "403": ("owner-mismatch",),
    "409": ("replacement-empty", "dataset-busy", "upload-offset", "idempotency-in-progress"),
    "410": ("upload-expired", "version-purged"),
    "412": ("precondition-failed",),
    "400": ("json-invalid", "text-invalid", "parameter-invalid", "parameter-unknown", "idempotency-key-invalid"),
    "422": (
        *("xml-doctype-forbidden", "xml-limit", "xml-external-reference", "xml-not-well-formed", "csv-dialect"),
        *("encoding-invalid", "encoding-unsupported", "archive-nested", "archive-path", "archive-member-type"),
        *("archive-duplicate-name", "archive-malformed", "archive-ambiguous", "gpkg-layer-not-table"),
        *("gpkg-object-forbidden", "gpkg-corrupt", "geometry-header", "shapefile-incomplete", "field-mapping"),
        *("shapefile-inconsistent", "crs-missing", "crs-mixed", "crs-unsupported", "crs-axis-order", "dxf-limit"),
        *("crs-out-of-area", "coordinate-not-finite", "geometry-empty", "geometry-type", "geometry-malformed"),
        *("geometry-dimension", "date-invalid", "checksum-mismatch", "idempotency-key-reused", "parser-crashed"),
    ),
}  # fmt: skip
"""Status and codes of the catalogue of bad input; what is found in a feature is `network-refused` with its findings."""


def codes_of_source() -> dict[str, str]:
    """Code -> where: what is given to a refusal as text, named `code` in ingest, or stands for an SQLSTATE of ours."""
    found: dict[str, str] = {}
    for folder in ("ingest", "ler", "geoapi"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for text in texts_of(node):
                    found.setdefault(text, f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    return found


def texts_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]) if (
            name in REFUSALS
        ):
            yield from constants(first)
        case ast.Assign(targets=[ast.Name(id="code")], value=value):
            yield from constants(value)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                match key, value:
                    case ast.Constant(value=str(state)), ast.Tuple(elts=[first, _]) if state.startswith("LE"):
                        yield from constants(first)


def constants(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from constants(body)
            yield from constants(orelse)


def test_every_refusal_is_in_the_catalogue_or_needs_no_entry() -> None:
    found = codes_of_source()
    assert len(found) > 100
    missing = {code: place for code, place in found.items() if code not in problem_types()}
    assert {*missing} == BY_COMMAND_ONLY | OF_REQUESTS | AS_PARAMETER | AS_FINDING | IN_ERRORS, missing


def test_codes_of_bad_input_have_the_status_that_was_promised() -> None:
    promised = {code: int(status) for status, codes in SAFETY.items() for code in codes}
    assert {code: problem_types()[code].status for code in promised} == promised
