"""Text of others, made fit to be shown: nothing in it can end a line, turn the direction of reading or hide."""

import unicodedata


def plain(text: str) -> str:
    """One line without control, formatting (such as right-to-left override) and unassigned characters."""
    composed = unicodedata.normalize("NFC", text)
    if not composed.isprintable():
        composed = "".join(c for c in composed if c.isprintable() or c.isspace())
    return " ".join(composed.split())
