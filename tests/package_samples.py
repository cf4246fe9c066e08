"""Packages of any size, made up the same each time: owners of every utility, lines of many kinds, answers of many sorts.

No database is needed. The values are valid by the model, so that the official schemas can be asked of the result.
"""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import ceil, sqrt
from pathlib import Path
from typing import Any, Final

import shapely
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from shapely import MultiPolygon, Polygon, box

from ler.domain.states import OwnerState
from ler.model import ANSWER, Feature, load_model
from ler.packages.content import (
    DELIVERED,
    NO_LINES,
    AreaStatus,
    Contact,
    Deliver,
    DeliveredAttachment,
    DeliveredDrawing,
    Delivery,
    OwnerStatus,
    RequestInfo,
)
from ler.packages.contents import PackageOptions
from ler.signing import SigningKey

WEST, SOUTH = 575_000.0, 6_224_000.0
ASKED_AT: Final = datetime(2026, 11, 2, 9, 30, 15, tzinfo=UTC)
_NAN: Final = float("nan")
LINE: Final = {
    "driftsstatus": "i drift",
    "ejerskabsforhold": "ejet af udleverende ledningsejer",
    "fareklasse": "ikke farlig",
    "indtegningsmetode": "nøjagtigt",
    "noejagtighedsklasse": "<= 0.50 m",
    "noejagtighedsklasseVertikal": "<= 1.00 m",
    "niveau": "under terræn",
    "indeholderLedninger": False,
    "liggerILedning": False,
    "udvendigMateriale": "PE",
}
PIPE: Final = LINE | {"udvendigDiameter": 110.0, "tvaersnitsform": "cirkulær"}
_WIRE: Final = LINE | {"type": "forsyningskabel", "spaendingsniveau": 10.0, "udvendigDiameter": 40.0}
_PART: Final = {"driftsstatus": "i drift"}
_KINDS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("Elledning", _WIRE | {"fareklasse": "meget farlig"}),
    ("Gasledning", PIPE | {"fareklasse": "farlig", "type": "distributionsledning"}),
    ("Vandledning", PIPE),
    ("Afloebsledning", PIPE | {"medietype": "spildevand", "noejagtighedsklasse": "> 2.00 m"}),
    ("Telekommunikationsledning", LINE | {"type": "fiberkabel", "udvendigDiameter": 12.0}),
    ("TermiskLedning", PIPE | {"type": "distributionsledning", "noejagtighedsklasse": "<= 1.00 m"}),
    ("Foeringsroer", PIPE | {"forsyningsart": ["telekommunikation"]}),
    ("Elkomponent", _PART | {"type": "muffe"}),
    ("Vandkomponent", _PART | {"type": "ventil"}),
    ("Afloebskomponent", _PART | {"type": "brønd"}),
)
OWNERS: Final = 10
"""That answered; one more did not."""


def sample(count: int) -> tuple[RequestInfo, list[OwnerStatus]]:
    """Return a request for an area with that many features, and its owners."""
    side = 20.0 * ceil(sqrt(max(count, 25)) / 2.5)
    area = box(WEST, SOUTH, WEST + side, SOUTH + side)
    request = RequestInfo(
        id=uuid.UUID(int=7),
        order_number=4711,
        area=Polygon(area.exterior.coords),
        clip_buffer_m=2.0,
        period_from=date(2026, 11, 9),
        period_to=date(2026, 11, 20),
        purpose="Nyt stik til bolig, Ærøvej 3 <bag hegnet>",
        description="Skovning & gravning",
        created_at=ASKED_AT,
        order_reference="Sag 2026-17",
        revision=3,
        changed_at=ASKED_AT + timedelta(hours=5, milliseconds=250),
    )
    every = list(_features(count, side))
    answering = [_owner(number, every[number::OWNERS], request) for number in range(OWNERS)]
    return request, [*answering, _silent_owner(request)]


def options(given: Path) -> PackageOptions:
    """Everything that an operator can choose, with files of the folder."""
    return PackageOptions(
        public_url="https://ler.example.dk",
        terrain=given / "terrain.tif",
        base_map=given / "tegning.tif",
        signer=SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32)))),
        verification_secret=b"secret" * 6,
    )


def with_files(owners: Sequence[OwnerStatus], given: Path) -> list[OwnerStatus]:
    """Return the owners, the first with the attachment `bilag.pdf` and the drawing `tegning.tif` of the folder."""
    paper, drawing = (given / name for name in ("bilag.pdf", "tegning.tif"))
    first, *others = owners
    (delivery, *more) = first.deliveries
    attachment = DeliveredAttachment(
        "bilag/bilag.pdf", paper, _sha256(paper), paper.stat().st_size, "PDF", "application/pdf"
    )
    shown = DeliveredDrawing(
        drawing.name, drawing, _sha256(drawing), Deliver.CLIPPED, 0.1, 0.05, date(2020, 1, 1), None, None, ()
    )
    delivery = replace(delivery, attachments=[attachment], drawings=[shown])
    return [replace(first, deliveries=[delivery, *more]), *others]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _owner(number: int, features: Sequence[Feature], request: RequestInfo) -> OwnerStatus:
    area = 100 + number
    # What is withheld is told by cells, of one owner, in the first of which nothing of it need lie.
    cells = MultiPolygon([box(WEST, SOUTH, WEST + 20, SOUTH + 20)]) if number == 1 else None
    kind = DELIVERED if features else NO_LINES
    delivery = Delivery(
        answer_id=uuid.UUID(int=1000 + number),
        answer_type=kind,
        version=None if number == 2 else 3,
        published_at=ASKED_AT - timedelta(days=number + 1),
        source_sha256=f"{number:064x}",
        header=Feature(ANSWER, "svar", {"id": str(uuid.UUID(int=1)), "type": kind}),
        features=sorted(features, key=lambda one: (not one.type.endswith("ledning"), one.gml_id)),
        clipped=frozenset(one.gml_id for one in features if one.gml_id.endswith("5")),
        left_out_references=number % 3,
        interest_areas=(area,),
        answered_at=ASKED_AT + timedelta(minutes=number),
        valid_until=date(2026, 12, 31),
        further_information="Ring først på telefon 12345678." if cells else None,
        withholds=cells is not None,
        marking_area=cells,
    )
    state = OwnerState.TO_BE_MARKED if cells else OwnerState.ANSWERED
    return OwnerStatus(
        id=uuid.UUID(int=10 + number),
        cvr=f"1000{number:04}",
        name=f"Nørreby Net & Vand {number}",
        email=f"drift{number}@example.dk",
        phone="12345678",
        interest_areas=(area,),
        deliveries=(delivery,),
        areas=(AreaStatus(area, state, request.created_at + timedelta(days=5)),),
        contacts=(Contact("Vagten", "vagt@example.dk", "87654321", None, None),) if number == 0 else (),
    )


def _silent_owner(request: RequestInfo) -> OwnerStatus:
    due = request.created_at + timedelta(days=1)
    asked = AreaStatus(999, OwnerState.ASKED, due, late=True)
    return OwnerStatus(
        uuid.UUID(int=99), "20000000", "Tavs Å A/S", "tavs@example.dk", None, (999,), (), (asked,)
    )


def _features(count: int, side: float) -> Iterator[Feature]:
    """Along streets that cross the area, some in pieces, some of unknown height or accuracy."""
    model = load_model()
    columns = max(1, int(side // 20))
    for number in range(count):
        name, values = _KINDS[number % len(_KINDS)]
        known = {attribute.name: attribute for attribute in model.types[name].attributes}
        attributes = {key: value for key, value in values.items() if key in known}
        attributes["id"] = str(uuid.UUID(int=number))
        voids: dict[str, str | None] = {}
        if "etableringstidspunkt" in known:
            attributes["etableringstidspunkt"] = f"{1950 + number % 70}-{1 + number % 12:02}"
        if number % 7 == 3 and "noejagtighedsklasseVertikal" in attributes:
            del attributes["noejagtighedsklasseVertikal"]
            voids["noejagtighedsklasseVertikal"] = "unknown"
        cell = number // 6
        x = WEST + 20.0 * (cell % columns) + number % 6 * 0.75 + 1
        y = SOUTH + 20.0 * (cell // columns % columns) + number % 5 * 0.5 + 1
        height = _NAN if number % 9 == 4 else 2.25 + 0.01 * (number % 100)
        steps = [(x + 3.137 * n, y + 1.713 * n, height) for n in range(2 + number % 5)]
        feature = Feature(name, f"{name}.{number:06}", attributes, voids)
        feature.geometry = shapely.LineString(steps)
        if name.endswith("komponent"):
            feature.geometry = shapely.Point(steps[0])
        elif number % 23 == 11:
            more = [(east + 1, north + 9, up) for east, north, up in steps]
            feature.geometry = shapely.MultiLineString([steps, more])
        yield feature
