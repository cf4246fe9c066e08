"""Photographs as cameras and their owners leave them: with a place, a name, a preview and texts of several kinds."""

import io
import struct

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

WORDS = (b"Nikon", b"SN-4711", b"Jens Jensen", b"2026:05:04", b"Kastanievej")
"""What stands in a photograph besides the picture."""
_XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><dc:creator>Jens Jensen</dc:creator></x:xmpmeta>"


def photograph(kind: str, *, colour: tuple[int, int, int] = (200, 150, 90), orientation: int = 6) -> bytes:
    """A picture of JPEG or PNG, 64 x 48, darker to the right."""
    image = Image.new("RGB", (64, 48), colour)
    image.paste((20, 30, 40), (40, 0, 64, 48))
    exif = Image.Exif()
    exif.update({ExifTags.Base.Make: "Nikon", ExifTags.Base.Artist: "Jens Jensen"})
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.DateTimeOriginal: "2026:05:04 12:00:00", ExifTags.Base.BodySerialNumber: "SN-4711"}
    )
    place = {1: "N", 2: (56.0, 9.0, 30.0), 3: "E", 4: (10.0, 12.0, 5.0)}
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(place)
    out = io.BytesIO()
    if kind == "PNG":
        told = PngInfo()
        told.add_text("Location", "Kastanievej 4")
        image.save(out, kind, exif=exif, pnginfo=told)
        return out.getvalue()
    image.save(out, kind, exif=exif, comment=b"Kastanievej 4", quality=90)
    told_xmp = b"\xff\xe1" + struct.pack(">H", 2 + len(_XMP)) + _XMP
    content = out.getvalue()
    return content[:2] + told_xmp + content[2:] + b"Jens Jensen"
