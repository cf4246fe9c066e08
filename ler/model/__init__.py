"""The LER GML data model as data: feature types, attributes, code lists and the values they hold."""

from ler.model.feature import Feature, Value
from ler.model.schema import (
    ANSWER,
    NAMESPACES,
    UNKNOWN_HEIGHT,
    VERSIONS,
    Attribute,
    CodeList,
    FeatureType,
    Kind,
    Model,
    load_model,
)

__all__ = [
    "ANSWER",
    "NAMESPACES",
    "UNKNOWN_HEIGHT",
    "VERSIONS",
    "Attribute",
    "CodeList",
    "Feature",
    "FeatureType",
    "Kind",
    "Model",
    "Value",
    "load_model",
]
