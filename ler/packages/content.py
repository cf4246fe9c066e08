"""What a package is made of, as plain values: the request, and each owner's answer with its features."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from shapely import MultiPolygon, Polygon

from ler.domain.answers import Appointment
from ler.domain.request_rules import DigKind
from ler.domain.states import OWES_ANSWER, OwnerState
from ler.model import ANSWER, Feature

NO_LINES: Final = "ingen ledninger i graveområde"
DELIVERED: Final = "ledningsoplysninger udleveret"
MANUAL: Final = "udtaget til manuel behandling"


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
    kind: DigKind = DigKind.DIG
    already_started: bool = False
    order_reference: str | None = None
    """The requester's own number."""
    revision: int = 1
    """Counts every change of what the package says."""
    changed_at: datetime | None = None
    """Aware; when that last changed. None: at `created_at`."""
    address_ids: Sequence[UUID] = ()
    """Addresses (DAR) of whose house connections sketches were asked for, as the requester named them."""


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
class DeliveredAttachment:
    """A file that the owner sent with its answer; it lies in the blob store."""

    path: str
    """Within the owner's folder: what LER calls `sti`. Plain and relative, with `/`."""
    file: Path | None
    """None when the store has lost it."""
    sha256: str
    size_bytes: int
    format: str
    """A value of the LER code list of formats."""
    media_type: str
    address_id: UUID | None = None
    """Of the request's addresses, that of whose house connection it is a sketch."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer that holds: the platform's from a version of the owner's network, or one of the owner's own."""

    answer_id: UUID
    answer_type: str
    """A value of the LER code list Graveforespoergselssvartype."""
    version: int | None
    """Of the network; None for an answer of the owner's own."""
    published_at: datetime | None
    source_sha256: str | None
    """Digest of the file that the owner gave; None for an answer without one."""
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
    interest_areas: Sequence[int] = ()
    """Registration numbers of the areas for which it speaks."""
    revision: int = 1
    """How many answers the owner gave for them."""
    answered_at: datetime | None = None
    valid_until: date | None = None
    """Last day on which the owner vouches for it (LER gyldigTil)."""
    further_information: str | None = None
    expected_time: datetime | None = None
    """When another answer is expected, of one taken out for manual handling."""
    attachments: Sequence[DeliveredAttachment] = ()
    """By path."""
    withholds: bool = False
    """Whether the owner has lines there that it does not show; `further_information` says so, and whom to call."""
    marking_area: MultiPolygon | None = None
    """Cells of a grid, EPSG:25832, through which lines run that are pointed out on site: not the shape of the lines."""

    @property
    def given_by_owner(self) -> bool:
        """Whether the owner gave it itself."""
        return self.version is None

    def answer_header(self) -> Feature:
        """The root of this answer: our identifier and kind, the owner's validity and contact."""
        attributes = {**self.header.attributes, "id": str(self.answer_id), "type": self.answer_type}
        if self.answer_type != MANUAL:
            attributes.pop("forventetAfleveringstidspunkt", None)
        if self.further_information:
            attributes["typeSupplerendeInfo"] = self.further_information
        return Feature(ANSWER, f"svar-{self.answer_id}", attributes)

    def counts(self) -> dict[str, int]:
        """How many features of each type, by name of the type."""
        return dict(sorted(Counter(feature.type for feature in self.features).items()))


@dataclass(frozen=True, slots=True)
class AreaStatus:
    """How far an owner is for one of its interest areas. Moments are aware UTC."""

    registration_number: int
    state: OwnerState
    """`asked` also when it was acknowledged: that changes nothing for who digs, and not the package."""
    due_at: datetime | None
    dispensed: bool = False
    """The owner has a dispensation, and so the longer deadline."""
    late: bool = False
    appointment: Appointment | None = None
    """When and where lines are pointed out on site."""

    @property
    def owes_answer(self) -> bool:
        """Whether nobody may dig for want of its answer."""
        return self.state in OWES_ANSWER


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to turn to at an owner, for a kind of line and a purpose; None: for all."""

    name: str
    email: str | None
    phone: str | None
    utility_type: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class OwnerStatus:
    """One owner that was asked, and its answers."""

    id: UUID
    cvr: str
    name: str
    email: str | None
    phone: str | None
    interest_areas: Sequence[int] = field(default_factory=tuple)
    """Registration numbers of its interest areas that the dig area touches."""
    deliveries: Sequence[Delivery] = ()
    """The answers that hold, of which one may speak for several areas; by area."""
    areas: Sequence[AreaStatus] = ()
    """Every interest area that was asked."""
    contacts: Sequence[Contact] = ()
    """For a request of this kind and lines of these kinds, whom to try first at the head; none: as it is registered."""

    @property
    def answered(self) -> bool:
        """Whether nothing is owed: an answer for each area, and none that was only taken out for manual handling."""
        return not self.missing

    @property
    def missing(self) -> tuple[AreaStatus, ...]:
        """The areas that owe an answer: do not dig. What was not answered when the request ended never was."""
        return tuple(area for area in self.areas if area.owes_answer or self._ended_unanswered(area))

    @property
    def to_be_marked(self) -> bool:
        """Whether lines must still be pointed out on site before anybody digs."""
        return any(area.state is OwnerState.TO_BE_MARKED for area in self.areas)

    @property
    def answer_types(self) -> list[str]:
        """The kinds of its answers, each once."""
        return list(dict.fromkeys(delivery.answer_type for delivery in self.deliveries))

    @property
    def feature_count(self) -> int:
        """Features of all answers."""
        return sum(len(delivery.features) for delivery in self.deliveries)

    def _ended_unanswered(self, area: AreaStatus) -> bool:
        answer = self.answer_for(area)
        return area.state is OwnerState.ENDED and (answer is None or answer.answer_type == MANUAL)

    def answer_for(self, area: AreaStatus) -> Delivery | None:
        """Return the answer that holds for an area."""
        return next((one for one in self.deliveries if area.registration_number in one.interest_areas), None)
