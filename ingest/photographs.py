"""Photographs without what the camera wrote into them: where and when, by which camera and by whom they were taken.

What is kept is the picture, its colours and which way is up. A picture is decoded and written anew, JPEG with its own
tables, in a child process that may die: a decoder of pictures must not meet strangers' bytes in the service itself. Refused
is what does not decode to its end.
"""

import io
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image, JpegImagePlugin

from ingest.child.confinement import confine, die_with_parent, lifeline, limit_resources
from ingest.child.limits import ChildLimits
from ler.errors import RefusedError

_log = logging.getLogger(__name__)

FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}
MOST_PIXELS: Final = 64_000_000
"""What cameras give in 8 MB; the header alone decides."""
_LIMITS: Final = ChildLimits(memory_mb=1024, cpu_s=30, file_mb=64)
_WALL_S: Final = 60.0
_ORIENTATION: Final = 0x0112


def without_traces(content: bytes, media_type: str) -> bytes:
    """Return a photograph of one of FORMATS without metadata; the same bytes give the same.

    RefusedError `photo-unreadable` for what is damaged, is of another format, or has more than MOST_PIXELS.
    """
    ours, theirs = lifeline()
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(  # noqa: S603 - our own module, by this interpreter
                [sys.executable, "-I", "-m", __name__, FORMATS[media_type], str(theirs), folder],
                input=content,
                capture_output=True,
                check=False,
                cwd=folder,
                env={"LANG": "C.UTF-8"},
                pass_fds=(theirs,),
                timeout=_WALL_S,
            )
        except subprocess.TimeoutExpired:
            done = None
        finally:
            os.close(theirs)
            os.close(ours)
    if done is None or done.returncode != 0:
        _log.warning("a photograph could not be read: %s", done.stderr[-2000:] if done else "took too long")
        raise RefusedError(
            "photo-unreadable", f"it is damaged, or has more than {MOST_PIXELS // 1_000_000} million pixels"
        )
    return done.stdout


def write_anew(content: bytes, kind: str) -> bytes:
    """Decode and write a picture of that format; what Pillow raises, or ValueError for one with too many pixels."""
    with Image.open(io.BytesIO(content), formats=[kind]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        image.load()
        kept = Image.Exif()
        if _ORIENTATION in (written := image.getexif()):
            kept[_ORIENTATION] = written[_ORIENTATION]
        tables = {}
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            sampling = JpegImagePlugin.get_sampling(image)
            tables = {"qtables": image.quantization, "subsampling": sampling, "comment": b""}
        out = io.BytesIO()
        profile = image.info.get("icc_profile")
        image.save(out, kind, exif=kept.tobytes() if kept else b"", icc_profile=profile, **tables)
    return out.getvalue()


def _main(kind: str, theirs: str, folder: str) -> None:
    limit_resources(_LIMITS)
    die_with_parent(int(theirs))
    Image.init()  # before the files are closed
    confine([], Path(folder))
    sys.stdout.buffer.write(write_anew(sys.stdin.buffer.read(), kind))


if __name__ == "__main__":
    _main(*sys.argv[1:])
