"""Photographs that are kept: the picture as it was, and nothing of who took it, where and when."""

import io

import numpy as np
import pytest
from PIL import Image

from ingest import photographs
from ingest.photographs import FORMATS, without_traces, write_anew
from ler.errors import RefusedError
from tests.photographs import WORDS, photograph


@pytest.mark.parametrize("media_type", FORMATS)
def test_nothing_is_left_but_the_picture_and_which_way_is_up(media_type: str) -> None:
    given = photograph(FORMATS[media_type])
    with Image.open(io.BytesIO(given)) as before:
        assert before.getexif().get_ifd(0x8825)[2], "a photograph without a place would prove nothing"
        assert all(word in given for word in WORDS)
        kept = without_traces(given, media_type)
        with Image.open(io.BytesIO(kept)) as after:
            assert dict(after.getexif()) == {0x0112: 6}
            assert set(after.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "exif"}
            # Written with the same tables; a hard edge is what rounding and sampled colours change most.
            apart = np.abs(np.asarray(before, int) - np.asarray(after, int))
            assert apart.max() <= 16
            assert apart.mean() < 1
    assert not any(word in kept for word in WORDS)
    assert without_traces(given, media_type) == kept


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("image/jpeg", photograph("JPEG")[:900]),
        ("image/png", photograph("PNG")[:200]),
        ("image/jpeg", photograph("PNG")),
        ("image/png", b""),
    ],
    ids=["cut short", "cut short png", "another format", "empty"],
)
def test_what_does_not_decode_is_refused(media_type: str, content: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        without_traces(content, media_type)
    assert caught.value.code == "photo-unreadable"


def test_a_picture_with_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(ValueError, match="too many"):
        write_anew(photograph("JPEG"), "JPEG")
