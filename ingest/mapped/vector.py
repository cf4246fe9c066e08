"""What a file of layers must be able to do to be read through a mapping: `ingest.readers.vector.VectorFile` is one."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa


class FieldLike(Protocol):
    """A column of a layer."""

    @property
    def name(self) -> str:
        """Its name."""


class LayerLike(Protocol):
    """A layer of a file."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def feature_count(self) -> int:
        """How many records it has."""

    @property
    def crs(self) -> str | None:
        """`EPSG:25832`, a WKT, or None where the file does not say."""

    @property
    def fields(self) -> Sequence[FieldLike]:
        """Its columns."""

    @property
    def geometry_type(self) -> str | None:
        """In words like `LineString Z`."""


class NoteLike(Protocol):
    """Something about a layer that its owner should know and that keeps nothing out."""

    @property
    def code(self) -> str:
        """The rule that says it."""

    @property
    def layer(self) -> str:
        """Name of the layer."""

    @property
    def found(self) -> str:
        """What was seen, shortened."""


class VectorLike(Protocol):
    """Layers of a file, as `ingest.readers.vector.VectorFile` gives them."""

    @property
    def notes(self) -> Sequence[NoteLike]:
        """What an owner should know of the layers."""

    def layers(self) -> Sequence[LayerLike]:
        """Every layer."""

    def batches(self, layer: str) -> Iterator[pa.RecordBatch]:
        """The records of a layer, in order."""
