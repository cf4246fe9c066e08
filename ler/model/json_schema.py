"""The feature types as JSON schemas (draft 2020-12): the properties of a GeoJSON feature, as `Feature` holds them.

Attributes given as void stand in the property `void`, by name, with the reason or null; an attribute that must be
given may stand there instead, where the model lets it. The unit of a number is its `x-unit`, the English label of each
code its `x-labels`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ler.model.schema import Attribute, FeatureType, Kind, Model
from ler.model.values import MEDIA_TYPES

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
VOID: Final = "void"
"""The property that names what was given as void."""

OPEN_CODE: Final = r"""^other: [^\s!"#%&'()*,\-./:;?@\[\\\]_{}]{2,}$"""
"""A code outside an open list. In the model it is `other: \\w{2,}` with the words of XML Schema, which are any letters,
digits and symbols; validators differ in what `\\w` is, so that the ASCII punctuation is named that it leaves out."""

type Schema = dict[str, Any]

_DATE: Final = r"\d{4}-\d\d-\d\d"
_ZONE: Final = r"(Z|[+-]\d\d:\d\d)?"


def feature_schema(feature_type: FeatureType, model: Model) -> Schema:
    """Return the schema of the properties of one feature type."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:ler:model:{model.version}:{feature_type.name}",
        "title": feature_type.label,
        "x-version": model.version,
        **_object(feature_type, model),
    }


def _object(feature_type: FeatureType, model: Model) -> Schema:
    attributes = [a for a in feature_type.attributes if a.kind is not Kind.GEOMETRY]
    voidable = [a.name for a in attributes if a.void]
    schema: Schema = {"type": "object", "properties": {a.name: _attribute(a, model) for a in attributes}}
    if voidable:
        reason = {"enum": [None, "unknown"]}
        schema["properties"][VOID] = {
            "title": "attributes given as void, with the reason",
            "type": "object",
            "properties": dict.fromkeys(voidable, reason),
            "additionalProperties": False,
        }
    schema["required"] = [a.name for a in attributes if a.min_count and not a.void]
    either = [_given_or_void(a.name) for a in attributes if a.min_count and a.void]
    if either:
        schema["allOf"] = either
    schema["additionalProperties"] = False
    return schema


def _given_or_void(name: str) -> Schema:
    void = {"required": [VOID], "properties": {VOID: {"required": [name]}}}
    return {"anyOf": [{"required": [name]}, void]}


def _attribute(attribute: Attribute, model: Model) -> Schema:
    one = _KINDS[attribute.kind](attribute, model)
    if not attribute.many:
        return {"title": attribute.label, **one}
    schema = {"title": attribute.label, "type": "array", "items": one, "minItems": attribute.min_count}
    return schema | ({"maxItems": attribute.max_count} if attribute.max_count else {})


def _text(attribute: Attribute, _: Model) -> Schema:
    return {"type": "string"} | ({"maxLength": attribute.max_length} if attribute.max_length else {})


def _code(attribute: Attribute, _: Model) -> Schema:
    if attribute.code_list is None:
        raise ValueError(f"{attribute.name} has no code list")
    values = attribute.code_list.values
    labels = {"x-code-list": attribute.code_list.name, "x-labels": dict(values)}
    if not attribute.code_list.open:
        return {"type": "string", "enum": list(values), **labels}
    return {"type": "string", "anyOf": [{"enum": list(values)}, {"pattern": OPEN_CODE}], **labels}


def _measure(attribute: Attribute, _: Model) -> Schema:
    if attribute.unit:
        return {"type": "number", "x-unit": attribute.unit}
    return {
        "type": "object",
        "properties": {"value": {"type": "number"}, "uom": {"type": "string"}},
        "required": ["value", "uom"],
        "additionalProperties": False,
    }


def _inline(attribute: Attribute, model: Model) -> Schema:
    schema = _object(model.types[attribute.target], model)
    schema["properties"] = {"gml_id": {"type": "string"}, **schema["properties"]}
    return schema


def _fixed(**schema: Any) -> Callable[[Attribute, Model], Schema]:  # noqa: ANN401 - keywords of JSON schema
    return lambda _, __: dict(schema)


_KINDS: Final[Mapping[Kind, Callable[[Attribute, Model], Schema]]] = {
    Kind.TEXT: _text,
    Kind.CODE: _code,
    Kind.INTEGER: _fixed(type="integer"),
    Kind.SHARE: _fixed(type="number", minimum=0, maximum=1, **{"x-decimals": 2}),
    Kind.BOOLEAN: _fixed(type="boolean"),
    Kind.DATE: _fixed(type="string", pattern=f"^{_DATE}{_ZONE}$"),
    Kind.DATETIME: _fixed(type="string", pattern=rf"^{_DATE}T\d\d:\d\d:\d\d(\.\d+)?{_ZONE}$"),
    Kind.TIME: _fixed(type="string", pattern=r"^(before )?\d{4}(-\d\d(-\d\d)?)?$"),
    Kind.MEASURE: _measure,
    Kind.LEVEL: _fixed(type=["number", "null"], **{"x-unit": "m"}),
    Kind.URI: _fixed(type="string", format="uri-reference"),
    Kind.FORMAT: _fixed(type="string", enum=list(MEDIA_TYPES)),
    Kind.LITERAL: _fixed(type="string"),
    Kind.REFERENCE: lambda attribute, _: {"type": "string", "x-refers-to": attribute.target},
    Kind.INLINE: _inline,
}
