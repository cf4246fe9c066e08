"""What is done on a site, and how, as codes that stay; they lie in `work_codes.toml`, in Danish and English."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

OTHER: Final = "other"
"""The kind of work that is told in words instead."""


@cache
def work_kinds() -> Mapping[str, Mapping[str, str]]:
    """Return the name of each kind of work by language, by code."""
    return _codes()["kind"]


@cache
def work_methods() -> Mapping[str, Mapping[str, str]]:
    """Return the name of each method by language, by code."""
    return _codes()["method"]


def _codes() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(files(__package__).joinpath("work_codes.toml").read_text(encoding="utf-8"))
