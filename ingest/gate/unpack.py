"""Members of a ZIP, streamed to a folder of ours under names of ours; nothing of their own names reaches the disk."""

from pathlib import Path, PurePosixPath

from ingest.gate.archive import Member, open_archive, stream_member
from ingest.gate.formats import STEM, GatedFile
from ingest.gate.limits import DEFAULT_LIMITS, GateLimits


def unpack(archive: Path, members: list[Member], folder: Path) -> list[Path]:
    """Write the members as `in.shp`, `in.dbf` and so on, in their order. RefusedError for a member that is damaged."""
    written = []
    with archive.open("rb") as stream:
        for member in members:
            target = folder / f"{STEM}{PurePosixPath(member.name).suffix.lower()}"
            with target.open("xb") as out:
                for piece in stream_member(stream, member):
                    out.write(piece)
            written.append(target)
    return written


def unpack_gated(gated: GatedFile, folder: Path, limits: GateLimits = DEFAULT_LIMITS) -> list[Path]:
    """Write the dataset of a ZIP that the gate let through. RefusedError."""
    members = {member.name: member for member in open_archive(gated.path, limits)}
    return unpack(gated.path, [members[name] for name in gated.members], folder)
