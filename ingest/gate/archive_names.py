"""Names of members: plain, each once, and which of them make the one dataset of an archive."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from ingest.gate.formats import EXTENSIONS, Format
from ingest.gate.limits import GateLimits
from ingest.readers.imkl.root import DELIVERY_NAME
from ler.errors import RefusedError

SHAPEFILE_NEEDS: Final = ("shp", "shx", "dbf", "prj")
_SHAPEFILE_MAY: Final = frozenset({"cpg", "cst", "sbn", "sbx", "qix", "qpj", "qmd", "shp.xml", "fix", "idm", "ind", "ain", "aih"})  # fmt: skip
WORLD_FILES: Final = frozenset({"pgw", "pngw", "jgw", "jpgw", "jpegw", "tfw", "tifw", "wld"})
_PICTURE_MAY: Final = WORLD_FILES | {"prj", "aux.xml"}
_TABLE_MAY: Final = frozenset({"prj", "csvt"})
DOCUMENTS: Final = frozenset({"txt", "md", "pdf", "xml", "html", "qml", "sld", "lyr"})
"""What may lie beside a dataset and is never read."""

_OF_SYSTEMS: Final = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')


def is_folder(name: str) -> bool:
    """Whether a member is only a folder."""
    return name.endswith("/")


def check_names(names: list[str], limits: GateLimits) -> None:
    """Refuse names that lead out of a folder or that two members share on any system."""
    seen: dict[str, str] = {}
    for name in names:
        parts = name.removesuffix("/").split("/")
        if (
            len(name.encode()) > limits.max_name_bytes
            or _FORBIDDEN.search(name)
            or any(part in {"", ".", ".."} or part.strip(" ") != part or part.endswith(".") for part in parts)
        ):
            raise RefusedError(
                "archive-path", f"the archive has a member with the name {name[:80]!r}: pack it anew"
            )
        key = unicodedata.normalize("NFKC", name).casefold().removesuffix("/")
        if key in seen:
            raise RefusedError(
                "archive-duplicate-name",
                f"the members {seen[key]!r} and {name!r} have the same name: keep one",
            )
        seen[key] = name


def find_dataset(names: list[str]) -> tuple[Format, tuple[str, ...]]:
    """The format and the members of the one dataset, the main one first. RefusedError for none, and for several."""
    files = [name for name in names if not _OF_SYSTEMS.search(name)]
    if delivered := [name for name in files if DELIVERY_NAME.fullmatch(name)]:
        return _delivery(delivered, files)
    mains = [(name, kind) for name in files if (kind := _kind(name)) is not None]
    shapes = [name for name, kind in mains if kind is Format.SHAPEFILE]
    if not mains:
        return _no_dataset(files)
    if len(mains) > 1:
        raise RefusedError(
            "archive-ambiguous",
            f"the archive holds {len(mains)} datasets, {mains[0][0]!r} and {mains[1][0]!r} among them: send one at a time",
        )
    main, kind = mains[0]
    stem = _stem(main)
    beside = {_ending(name, stem): name for name in files if name != main and _ending(name, stem)}
    own = (
        _SHAPEFILE_MAY | set(SHAPEFILE_NEEDS)
        if shapes
        else _PICTURE_MAY
        if kind is Format.IMAGE
        else _TABLE_MAY
    )
    members = [main, *(beside[ending] for ending in sorted(beside) if ending in own)]
    for name in files:
        if name not in members and not is_document(name):
            raise RefusedError(
                "archive-member-type",
                f"the member {name!r} belongs to no dataset: take it out of the archive",
            )
    if shapes:
        _check_complete(main, set(beside))
    return kind, tuple(members)


def _delivery(networks: list[str], files: list[str]) -> tuple[Format, tuple[str, ...]]:
    """The network of a KLIC delivery, beside which lie letters, pictures and descriptions that are never read."""
    if len(networks) > 1:
        raise RefusedError(
            "archive-ambiguous",
            f"the archive holds {len(networks)} deliveries, {networks[0]!r} and {networks[1]!r} among them: send one at a time",
        )
    for name in files:
        if not (is_document(name) or _kind(name) is Format.IMAGE or name.lower().endswith(".json")):
            raise RefusedError(
                "archive-member-type",
                f"the member {name!r} belongs to no KLIC delivery: take it out of the archive",
            )
    return Format.IMKL, tuple(networks)


def is_document(name: str) -> bool:
    """Whether a member is only for people."""
    return PurePosixPath(name).suffix[1:].lower() in DOCUMENTS


def _kind(name: str) -> Format | None:
    suffix = PurePosixPath(name).suffix[1:].lower()
    if suffix == "xml":  # a description of something else, far more often than LER GML
        return None
    return next((kind for kind, endings in EXTENSIONS.items() if suffix in endings), None)


def _stem(name: str) -> str:
    return name[: len(name) - len(PurePosixPath(name).suffix)].casefold()


def _ending(name: str, stem: str) -> str:
    """What follows the stem and its dot, in lower case; empty for another file."""
    folded = name.casefold()
    return folded[len(stem) + 1 :] if folded.startswith(f"{stem}.") else ""


def _no_dataset(files: list[str]) -> tuple[Format, tuple[str, ...]]:
    parts = [name for name in files if PurePosixPath(name).suffix[1:].lower() in SHAPEFILE_NEEDS]
    if parts:
        raise RefusedError(
            "shapefile-incomplete", "the archive holds parts of a shapefile, and no .shp: add it"
        )
    raise RefusedError("format-not-supported", "the archive holds no dataset that is read here")


def _check_complete(main: str, endings: set[str]) -> None:
    missing = [f".{part}" for part in SHAPEFILE_NEEDS[1:] if part not in endings]
    if missing:
        raise RefusedError(
            "shapefile-incomplete",
            f"the shapefile {main!r} has no {' and no '.join(missing)}: add it to the archive",
        )
