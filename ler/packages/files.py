"""Files of packages: written beside their name and moved there whole, and named so that no two meet."""

import hashlib
import io
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ler.errors import RefusedError
from ler.packages.content import Delivery, OwnerStatus

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*\\]')
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class LaidMember:
    """A member of a package while it is made; small ones are kept in memory, since making a file takes a millisecond."""

    content: Path | bytes
    feature_count: int = 0

    def open(self) -> io.BytesIO | io.BufferedReader:
        """Open it for reading."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def digest(self) -> tuple[str, int]:
        """Return its SHA-256 and its size in bytes."""
        with self.open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest(), stream.seek(0, io.SEEK_END)


def check_new_file(path: Path) -> None:
    """Refuse to write over a file, or into a folder that is not there. RefusedError `file-exists`, `folder-missing`."""
    if path.exists():
        raise RefusedError("file-exists", f"{path} is there already and is not written over")
    if not path.parent.is_dir():
        raise RefusedError("folder-missing", f"there is no folder {path.parent}")


def write_whole(path: Path, content: bytes) -> None:
    """Write the file; an older one is replaced at the end."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ler-") as folder:
        workshop = Path(folder) / "whole"
        workshop.write_bytes(content)
        workshop.replace(path)


def relative_path(told: str) -> PurePosixPath | None:
    """Return a path that an owner gave when it stays below its folder and every system can make it; None else."""
    path = PurePosixPath(told)
    if path.is_absolute() or not path.parts or _FORBIDDEN.search(told):
        return None
    if any(part == ".." or part.endswith((".", " ")) or _RESERVED.fullmatch(part) for part in path.parts):
        return None
    return path


def free_name(wanted: str, taken: set[str], folder: str = "") -> str:
    """Return the name with its folder, with a number before its last part where it is `taken`, in any case; takes it."""
    place, slash, last = wanted.rpartition("/")
    name, number = f"{folder}{wanted}", 1
    while name.casefold() in taken:
        number += 1
        name = f"{folder}{place}{slash}{number}-{last}"
    taken.add(name.casefold())
    return name


def answer_name(delivery: Delivery, owner: OwnerStatus) -> str:
    """Return what an owner's answer is called in its folder: by the first of its areas where it is one of several."""
    several = len(owner.deliveries) > 1
    return f"ledningsoplysninger-{min(delivery.interest_areas)}.gml" if several else "ledningsoplysninger.gml"


def slug(name: str) -> str:
    """Return the name in ASCII for a file name; Danish letters by their usual spelling."""
    spelled = name.lower().replace("æ", "ae").replace("ø", "oe").replace("å", "aa")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME] or "ledningsejer"
