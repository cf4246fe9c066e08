"""What a caller would like to have: the language and the media type, by the `Accept` headers (RFC 9110)."""

from collections.abc import Iterator, Sequence
from typing import Literal


def language_of(accept_language: str | None) -> Literal["da", "en"]:
    """Return Danish when the caller prefers it over English, else English."""
    if not accept_language:
        return "en"
    weights = dict.fromkeys(("da", "en"), 0.0)
    for name, weight in _weighted(accept_language):
        language = name.partition("-")[0]
        if language in weights:
            weights[language] = max(weights[language], weight)
    return "da" if weights["da"] > weights["en"] else "en"


def media_type_of(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the offered media type that the caller likes best, the first one where it does not say; None for none."""
    if accept is None or not accept.strip():
        return offered[0]
    best: tuple[float, int] | None = None
    for place, media_type in enumerate(offered):
        weight = _liking(accept, media_type)
        if weight > 0 and (best is None or weight > best[0]):
            best = weight, place
    return offered[best[1]] if best else None


def _liking(accept: str, media_type: str) -> float:
    """The weight of the most exact range that covers the media type."""
    ranges = dict(_weighted(accept))
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    for item in header[:1000].split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = min(max(float(parameter[2:]), 0.0), 1.0)
                except ValueError:
                    weight = 0.0
        yield name, weight
