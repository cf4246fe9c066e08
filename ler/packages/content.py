"""What a package is made of, as plain values: the request, and each owner's answer with its features."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from shapely import Polygon

from ler.model import ANSWER, Feature

NO_LINES: Final = "ingen ledninger i graveområde"
DELIVERED: Final = "ledningsoplysninger udleveret"


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """The excavation request that a package answers."""

    id: UUID
    order_number: int
    area: Polygon
    """EPSG:25832."""
    clip_buffer_m: float
    """How far outside the area features were still delivered, m."""
    period_from: date
    period_to: date
    purpose: str
    description: str | None
    created_at: datetime
    """Aware; stands in for "now" everywhere in the package, so that the same request gives the same bytes."""


class Deliver(StrEnum):
    """What of a drawing is delivered: its owner's choice."""

    CLIPPED = "clipped"
    """What lies in the dig area."""
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class DeliveredDrawing:
    """A georeferenced drawing that goes with an answer; its file lies in the blob store."""

    name: str
    """As the owner's file was called."""
    path: Path | None
    """Cloud Optimized GeoTIFF of the whole drawing, EPSG:25832; None when the store has lost it."""
    sha256: str
    """Of that file."""
    deliver: Deliver
    resolution_m: float
    accuracy_m: float | None
    """What the change of reference system may be off; None when nobody knows."""
    taken_on: date | None
    valid_from: date | None
    valid_to: date | None
    gml_ids: Sequence[str]
    """Delivered features that it belongs to; none when it is here for its place alone."""

    @property
    def file_name(self) -> str:
        """The owner's name, ending as a GeoTIFF."""
        return self.name if self.name.lower().endswith((".tif", ".tiff")) else f"{self.name}.tif"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The answer of one owner: from which version of its network, and what of it lies in the area."""

    answer_id: UUID
    answer_type: str
    """A value of the LER code list Graveforespoergselssvartype."""
    version: int
    published_at: datetime
    source_sha256: str
    """Digest of the file that the owner gave."""
    header: Feature
    """What the owner's file said of itself: validity, contact."""
    features: Sequence[Feature]
    """Clipped to the area, in the order of the owner's file."""
    clipped: frozenset[str] = frozenset()
    """`gml:id`s of the features of which only a part is delivered."""
    left_out_references: int = 0
    """References to features outside the area, removed from the delivered copies."""
    drawings: Sequence[DeliveredDrawing] = ()
    """By name."""

    def answer_header(self) -> Feature:
        """The root of this answer: our identifier and kind, the owner's validity and contact."""
        attributes = {**self.header.attributes, "id": str(self.answer_id), "type": self.answer_type}
        attributes.pop("forventetAfleveringstidspunkt", None)  # only of answers taken out for manual handling
        return Feature(ANSWER, f"svar-{self.answer_id}", attributes)

    def counts(self) -> dict[str, int]:
        """How many features of each type, by name of the type."""
        return dict(sorted(Counter(feature.type for feature in self.features).items()))


@dataclass(frozen=True, slots=True)
class OwnerStatus:
    """One owner that was asked; without a delivery it has not answered."""

    id: UUID
    cvr: str
    name: str
    email: str | None
    phone: str | None
    interest_areas: Sequence[int] = field(default_factory=tuple)
    """Registration numbers of its interest areas that the dig area touches."""
    delivery: Delivery | None = None
