"""Colours as `#rrggbb` (sRGB): their channels, mixtures and contrast."""

import re

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LINEAR_LIMIT = 0.04045


def is_colour(text: str) -> bool:
    """Whether the text is `#` and six small hexadecimal digits."""
    return _COLOUR.fullmatch(text) is not None


def rgb(colour: str) -> tuple[float, float, float]:
    """Red, green and blue in 0..1 of `#rrggbb`."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with the given share (0..1) of `other`, mixed in sRGB."""
    mixed = (a + (b - a) * share for a, b in zip(rgb(colour), rgb(other), strict=True))
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in mixed)


def contrast(colour: str, other: str) -> float:
    """Contrast ratio of two colours, 1..21 (WCAG 2.2, relative luminance)."""
    darker, lighter = sorted((_luminance(colour), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (
        c / 12.92 if c <= _LINEAR_LIMIT else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
