"""The OpenAPI 3.0 document of the OGC API, for what a caller sees.

Made from the same list as the answers: what a parameter takes stands where it is read, what a feature says in the
collections. It has no parameter of any name, for one that is not in it is refused. pygeoapi's own document is not used
(`docs/decisions/0034`). What else is served below the root adds its paths to `PARTS`.
"""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from geoapi.ogc.collections import Collection
from geoapi.ogc.editing.openapi import editing_paths
from geoapi.ogc.engine import TEXT, TITLE
from geoapi.ogc.formats import GEOJSON, HTML, JSON, OPENAPI, SCHEMA, Format
from geoapi.ogc.offered import formats_of_item, formats_of_items
from geoapi.ogc.openapi_operation import GUARDED, OPEN, SERVICE, Node, operation
from geoapi.ogc.openapi_parameters import components as parameters
from geoapi.ogc.openapi_parameters import item_parameters, items_parameters, reference
from geoapi.ogc.openapi_schemas import components as schemas
from geoapi.ogc.openapi_texts import words
from geoapi.ogc.processes.openapi import process_paths
from geoapi.ogc.processes.process import Process
from geoapi.ogc.tile_api import style_paths, tile_paths
from geoapi.problems import MEDIA_TYPE, Language

_KEPT: Final = 64
"""Documents that are kept: one for each set of collections that callers see, in each language."""
_VERSION: Final = "1"
_HEADERS: Final = {
    "ETag": {"schema": {"type": "string"}},
    "Content-Crs": {"schema": {"type": "string"}},
}


@lru_cache(maxsize=_KEPT)
def document(
    root: str, visible: tuple[Collection, ...], processes: tuple[Process, ...], language: Language
) -> bytes:
    """Return the document as JSON, for who sees these collections and processes."""
    paths: Node = process_paths(processes)
    for part in PARTS:
        for path, operations in part(visible, language).items():
            paths[path] = paths.get(path, {}) | operations
    made = {
        "openapi": "3.0.3",
        "info": {"title": TITLE[language], "description": TEXT[language], "version": _VERSION},
        "servers": [{"url": root}],
        "security": OPEN,
        "tags": [
            {"name": SERVICE, "description": TITLE[language]},
            *({"name": one.name, "description": one.descriptions[language]} for one in visible),
        ],
        "paths": paths,
        "components": {
            "parameters": parameters(visible, language),
            "schemas": schemas(visible, language),
            "responses": {
                f"problem-{status}": _problem(status, language) for status in ("400", "401", "404", "default")
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": words("security", "bearer", language),
                },
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": words("security", "basic", language),
                },
            },
        },
    }
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()


def _problem(status: str, language: Language) -> Node:
    return {
        "description": words("responses", status, language),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/problem"}}, HTML: {}},
    }


def _service(visible: tuple[Collection, ...], language: Language) -> Node:
    """What describes; of collections, all that the caller sees at once."""

    def page(name: str, media_type: str, schema: str, *more: str) -> Node:
        return operation(
            name,
            words("operations", name, language),
            language,
            {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}, HTML: {}},
            given=[reference(one) for one in (*more, "f", "lang")],
        )

    one = "/collections/{collectionId}"
    found = {
        "/": page("landing", JSON, "landing"),
        "/conformance": page("conformance", JSON, "conformance"),
        "/openapi": page("openapi", OPENAPI, "document"),
        "/collections": page("collections", JSON, "collections"),
    }
    return found | (
        {
            one: page("collection", JSON, "collection", "collectionId"),
            f"{one}/queryables": page("queryables", SCHEMA, "document", "collectionId"),
            f"{one}/schema": page("schema", SCHEMA, "document", "collectionId"),
            f"{one}/sortables": page("sortables", SCHEMA, "document", "collectionId"),
        }
        if visible
        else {}
    )


def _features(visible: tuple[Collection, ...], language: Language) -> Node:
    return dict(path for one in visible for path in _of_collection(one, language))


def _of_collection(one: Collection, language: Language) -> Iterator[tuple[str, Node]]:
    address = f"/collections/{one.name}/items"
    more: Node = {
        "tag": one.name,
        "security": GUARDED if one.scope else OPEN,
        "headers": _HEADERS,
    }
    title = one.titles[language]
    yield (
        address,
        operation(
            f"items.{one.name}",
            words("operations", "items", language, title),
            language,
            _written(formats_of_items(one), f"features.{one.name}"),
            given=items_parameters(one, language),
            **more,
        ),
    )
    yield (
        f"{address}/{{featureId}}",
        operation(
            f"item.{one.name}",
            words("operations", "item", language, title),
            language,
            _written(formats_of_item(one), f"feature.{one.name}"),
            given=item_parameters(one, language),
            **more,
        ),
    )


def _written(offered: tuple[Format, ...], schema: str) -> Node:
    """The content of an answer in each of its formats; only of GeoJSON it is told what is in it."""
    told = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {one.media_type: told if one.media_type == GEOJSON else {} for one in offered}


PARTS: Final[tuple[Callable[[tuple[Collection, ...], Language], Node], ...]] = (
    _service,
    _features,
    editing_paths,
    tile_paths,
    style_paths,
)
"""What adds paths to the document."""
