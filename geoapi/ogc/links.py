"""Links of the OGC API's answers."""

from typing import Any, Final

JSON: Final = "application/json"
TILESETS: Final = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
TILING_SCHEME: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TILING_SCHEMES: Final = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
STYLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/styles"


def link(rel: str, href: str, media_type: str = JSON, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a link; `more` are its further members, such as `title` and `templated`."""
    return {"rel": rel, "type": media_type, "href": href, **more}
