"""What the OpenAPI document says in words (`openapi.toml`)."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from geoapi.problems import Language


def words(section: str, name: str, language: Language, value: str = "") -> str:
    """Return a text of `openapi.toml`."""
    return _texts()[section][name][language].format(value)


@cache
def _texts() -> Mapping[str, Mapping[str, Mapping[Language, str]]]:
    return tomllib.loads(files(__package__).joinpath("openapi.toml").read_text(encoding="utf-8"))
