"""Valid answers that hold every feature type and every attribute of a version of the model, made from the model."""

import io
import random
from collections.abc import Iterator

import shapely

from ler.model import ANSWER, Attribute, Feature, FeatureType, Kind, Model, Value, load_model
from ler.model.values import BEFORE
from ler.packages.gml import Answer, write_answer

EAST, NORTH = 575_000.0, 6_224_000.0


class CompleteAnswer:
    """The same seed gives the same answer; every member has all its attributes, given or void."""

    def __init__(self, model: Model, seed: int = 0) -> None:
        self.model = model
        self.random = random.Random(seed)
        self.number = 0

    def text(self) -> str:
        """The document, each member on a line of its own."""
        stream = io.BytesIO()
        header = self._feature(self.model.answer)
        features = [
            self._feature(feature_type, voids=voids)
            for feature_type in self.model.concrete()
            for voids in (False, True)
        ]
        write_answer(stream, Answer("12345678", "Ejer", header, features), self.model)
        return stream.getvalue().decode()

    def _feature(self, feature_type: FeatureType, *, voids: bool = False) -> Feature:
        self.number += 1
        feature = Feature(feature_type.name, f"{feature_type.name}.{self.number}")
        for attribute in feature_type.attributes:
            if attribute.kind is Kind.GEOMETRY:
                feature.geometry = self._geometry(attribute)
            elif attribute.void and voids:
                feature.voids[attribute.name] = self.random.choice([None, "unknown"])
            else:
                feature.attributes[attribute.name] = self._values(attribute, feature)
        return feature

    def _values(self, attribute: Attribute, feature: Feature) -> Value:
        if not attribute.many:
            return self._value(attribute, feature)
        return [self._value(attribute, feature) for _ in range(self.random.choice([1, 2, 3]))]

    def _value(self, attribute: Attribute, feature: Feature) -> Value:
        choose = self.random.choice
        match attribute.kind:
            case Kind.CODE:
                assert attribute.code_list is not None
                values = list(attribute.code_list.values)
                return choose([*values, "other: varme"] if attribute.code_list.open else values)
            case Kind.REFERENCE:
                return feature.gml_id  # what it points to is no matter of structure
            case Kind.INLINE:
                target = self.model.types[attribute.target]
                return {"gml_id": f"{feature.gml_id}.{attribute.name}", **self._feature(target).attributes}
            case Kind.MEASURE:
                return 12.5 if attribute.unit else {"value": 3.25, "uom": "m"}
            case Kind.TEXT if feature.type == ANSWER and attribute.name == "id":
                return "3f7b3a52-6d1b-4a5e-9a3c-0f6e4c1d2b90"
            case kind:
                return choose(_PLAIN[kind])

    def _geometry(self, attribute: Attribute) -> shapely.geometry.base.BaseGeometry:
        x, y = EAST + self.random.randrange(500), NORTH + self.random.randrange(500)
        line = shapely.LineString([(x, y, 1.5), (x + 10, y, float("nan")), (x + 20, y + 5, 2)])
        ring = shapely.Polygon([(x, y, 1), (x + 4, y, 1), (x + 4, y + 4, 1), (x, y, 1)])
        point = shapely.Point(x, y, 1.25)
        match attribute.geometry:
            case "curve":
                return line
            case "curves":
                return shapely.MultiLineString([line, shapely.LineString([(x, y, 1), (x, y + 9, 1)])])
            case "point":
                return point
            case _:
                several = [shapely.MultiPoint([point, point]), shapely.MultiPolygon([ring])]
                return self.random.choice([point, line, ring, shapely.MultiLineString([line]), *several])


_PLAIN: dict[Kind, tuple[Value, ...]] = {
    Kind.TEXT: ("tekst æøå",),
    Kind.LEVEL: (None, 2.5),
    Kind.INTEGER: (3, 0),
    Kind.SHARE: (0.25, 1.0),
    Kind.BOOLEAN: (True, False),
    Kind.DATE: ("2024-05-13", "2024-05-13Z"),
    Kind.DATETIME: ("2024-05-13T12:30:00Z", "2024-05-13T12:30:00+02:00"),
    Kind.TIME: ("2024-05-13", "2024-05", "1978", f"{BEFORE}2023-07-01"),
    Kind.URI: ("bilag/plan.pdf",),
    Kind.FORMAT: ("PDF", "DWG"),
    Kind.LITERAL: ("Plan", "2024"),
}


def complete_answers(version: str, count: int) -> Iterator[str]:
    """Several complete answers of one version."""
    return (CompleteAnswer(load_model(version), seed).text() for seed in range(count))
