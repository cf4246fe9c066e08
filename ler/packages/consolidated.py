"""`consolidated.gml` and `LedningsejerStatusListe.xml` as the register writes them: all answers in one collection.

No schema of them is published. Names, namespaces and joins are those that programs made for the register's packages
read: each feature carries `objectType`, `ledningsejer` and `indberetningsNr` without a namespace, by which it meets its
`UtilityOwner` and its `UtilityPackageInfo`. The owners' whole answers, valid by the official schemas, lie beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import BinaryIO, Final
from xml.sax.saxutils import escape, quoteattr

import shapely
from shapely import Polygon

from ler.domain.legal_time import local
from ler.model import NAMESPACES, Model, Value, load_model
from ler.packages.advice import status_of
from ler.packages.content import AreaStatus, Contact, Delivery, OwnerStatus, RequestInfo
from ler.packages.gml import COORDINATE_DECIMALS, GmlWriter

REGISTER: Final = "http://www.ler.dk/ler"
AREA_CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/25832"

_DECLARATIONS: Final = "".join(
    f' xmlns:{prefix}="{uri}"'
    for prefix, uri in {"wfs": "http://www.opengis.net/wfs", **NAMESPACES, "lergml": REGISTER}.items()
)
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def write_consolidated(
    stream: BinaryIO,
    request: RequestInfo,
    owners: Sequence[OwnerStatus],
    folders: Mapping[str, str],
    model: Model | None = None,
) -> int:
    """Write all answers as one collection; returns the number of features (pieces counted one by one).

    `folders` is the folder of each owner in the package, by the owner's id. `gml:id`s get a prefix an answer, since a
    document may not hold one twice.
    """
    writer = GmlWriter(stream, model or load_model())
    writer.text(f"{_DECLARATION}<wfs:FeatureCollection{_DECLARATIONS}>\n")
    _member(writer, _request(request))
    _member(writer, _package(request))
    count = 0
    for key, owner in enumerate(owners, 1):
        _member(writer, _owner(key, owner, folders[str(owner.id)]))
        for area in owner.areas:
            answer = owner.answer_for(area)
            if answer:
                _member(writer, _area(key, area, answer, folders[str(owner.id)]))
                _member(writer, _contact(key, area, owner, answer))
        for number, delivery in enumerate(owner.deliveries, 1):
            count += _features(writer, key, number, owner, delivery)
    writer.text("</wfs:FeatureCollection>\n")
    return count


def write_status_list(stream: BinaryIO, owners: Sequence[OwnerStatus]) -> None:
    """Write the status of every owner and interest area that was asked."""
    told = "".join(
        f"<Ledningsejer><CVR>{escape(owner.cvr or '')}</CVR><Navn>{escape(owner.name)}</Navn>"
        + "".join(
            f"<Interesseområde><IndberetningsNr>{area.registration_number}</IndberetningsNr>"
            f"<Status>{escape(status_of(owner, area))}</Status></Interesseområde>"
            for area in owner.areas
        )
        + "</Ledningsejer>\n"
        for owner in owners
    )
    stream.write(f"{_DECLARATION}<LedningsejerListe>\n{told}</LedningsejerListe>\n".encode())


def _member(writer: GmlWriter, element: str) -> None:
    writer.text(f"<gml:featureMember>{element}</gml:featureMember>\n")


def _features(writer: GmlWriter, key: int, number: int, owner: OwnerStatus, delivery: Delivery) -> int:
    several = f"{number}." if len(owner.deliveries) > 1 else ""
    writer.prefix = f"cvr{owner.cvr}.{several}" if owner.cvr else f"ejer{key}.{several}"
    reported = _reported_as(delivery)
    joins = {
        name: _joins(f"{writer.model.types[name].namespace}:{name}", key, reported)
        for name in {feature.type for feature in delivery.features}
    }
    count = 0
    for _, piece in writer.pieces(delivery.features):
        _member(writer, writer.feature(piece, joins[piece.type]))
        count += 1
    return count


def _reported_as(delivery: Delivery) -> int | None:
    """The number under which an answer's features are told: of the first area that it answers for."""
    return min(delivery.interest_areas, default=None)


def _joins(kind: str, key: int | None = None, reported: int | None = None) -> str:
    return "".join(
        f"<{name}>{escape(str(value))}</{name}>"
        for name, value in (("objectType", kind), ("ledningsejer", key), ("indberetningsNr", reported))
        if value is not None
    )


def _request(request: RequestInfo) -> str:
    return _element(
        "lergml:Graveforesp",
        _joins("lergml:Graveforesp"),
        f"<lergml:fid>1</lergml:fid><lergml:graveart_id>{escape(request.kind)}</lergml:graveart_id>"
        f"<lergml:graveart_andet>{escape(request.purpose)}</lergml:graveart_andet>"
        f"<lergml:graveperiode_fra>{request.period_from.isoformat()}</lergml:graveperiode_fra>"
        f"<lergml:graveperiode_til>{request.period_to.isoformat()}</lergml:graveperiode_til>"
        f"<lergml:bemaerkning>{escape(request.description or '')}</lergml:bemaerkning>"
        f"<lergml:polygonProperty>{_polygon(request.area)}</lergml:polygonProperty>",
        f"<orderNo>{request.order_number}</orderNo>",
    )


def _package(request: RequestInfo) -> str:
    changed = _moment(request.changed_at) if request.changed_at and request.revision > 1 else ""
    return _element(
        "lergml:Ledningspakke",
        _joins("lergml:Ledningspakke"),
        f"<lergml:oprettet_dato>{_moment(request.created_at)}</lergml:oprettet_dato>"
        f"<lergml:aendret_dato>{changed}</lergml:aendret_dato>",
    )


def _owner(key: int, owner: OwnerStatus, folder: str) -> str:
    cvr = f"<ler:cvr>{escape(owner.cvr)}</ler:cvr>" if owner.cvr else ""
    return _element(
        "ler:UtilityOwner",
        _joins("ler:UtilityOwner", key),
        cvr,
        f"<companyName>{escape(owner.name)}</companyName><folderName>{escape(folder)}</folderName>",
    )


def _area(key: int, area: AreaStatus, answer: Delivery, folder: str) -> str:
    header = answer.answer_header().attributes
    told = "".join(
        f"<{name}>{escape(str(header[name]))}</{name}>"
        for name in ("gyldigTil", "typeSupplerendeInfo", "forventetAfleveringstidspunkt")
        if header.get(name) is not None
    )
    return _element(
        "ler:UtilityPackageInfo",
        _joins("ler:UtilityPackageInfo", key, area.registration_number),
        told,
        f"<folderName>{escape(folder)}</folderName>",
    )


def _contact(key: int, area: AreaStatus, owner: OwnerStatus, answer: Delivery) -> str:
    profile = answer.header.attributes.get("kontaktprofilTilTekniskeSpoergsmaal")
    said: dict[str, Value] = profile if isinstance(profile, dict) else {}
    # What the answer says; else whom the register names for such a request; else the owner as it is registered.
    first = owner.contacts[0] if owner.contacts and not said else None
    known: Contact | OwnerStatus = first or owner
    told = {
        "navn": said.get("navn") or known.name,
        "telefonnummer": said.get("telefonnummer") or known.phone,
        "mailadresse": said.get("mailadresse") or known.email,
    }
    body = "".join(f"<ler:{name}>{escape(str(value))}</ler:{name}>" for name, value in told.items() if value)
    return _element("ler:Kontaktprofil", _joins("ler:Kontaktprofil", key, area.registration_number), body)


def _element(name: str, *parts: str) -> str:
    return f"<{name}>{''.join(parts)}</{name}>"


def _polygon(area: Polygon) -> str:
    rings = "".join(_ring("exterior" if number == 0 else "interior", ring) for number, ring in _rings(area))
    return f'<gml:Polygon gml:id="graveomraade" srsName={quoteattr(AREA_CRS)} srsDimension="2">{rings}</gml:Polygon>'


def _rings(area: Polygon) -> Iterator[tuple[int, shapely.LinearRing]]:
    return enumerate([area.exterior, *area.interiors])


def _ring(name: str, ring: shapely.LinearRing) -> str:
    numbers = shapely.get_coordinates(ring).round(COORDINATE_DECIMALS).ravel().tolist()
    told = " ".join(f"{number:.{COORDINATE_DECIMALS}f}".rstrip("0").rstrip(".") for number in numbers)
    return f"<gml:{name}><gml:LinearRing><gml:posList>{told}</gml:posList></gml:LinearRing></gml:{name}>"


def _moment(moment: datetime) -> str:
    """Legal local time to the millisecond without an offset, as the register writes it."""
    return local(moment).replace(tzinfo=None).isoformat(timespec="milliseconds")
