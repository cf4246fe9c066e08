"""Small files of IMKL as text, in the Netherlands, for tests that change one thing in them."""

from pathlib import Path

from ingest.readers.imkl.reader import ImklReader
from ler.exchange.tables import load_imkl
from ler.model import Feature

DUTCH_COVERAGE = (100_000.0, 5_600_000.0, 500_000.0, 6_000_000.0)
"""Around the Netherlands in EPSG:25832."""
SPACES = "".join(f' xmlns:{name}="{uri}"' for name, uri in load_imkl().raw["namespaces"].items())
VALUES = "http://definities.geostandaarden.nl/imkl2015/id/waarde"
INSPIRE = "http://inspire.ec.europa.eu/codelist"
ID = "nl.imkl-KL9999"
POSITIONS = "155000 463000 155010.5 463000 155020 463005"
LIFE = "<net:beginLifespanVersion>2001-12-17T09:30:47.00+01:00</net:beginLifespanVersion>"


def own_id(name: str) -> str:
    return (
        f"<imkl:identificatie><imkl:NEN3610ID><imkl:namespace>nl.imkl</imkl:namespace><imkl:lokaalID>KL9999.{name}"
        "</imkl:lokaalID></imkl:NEN3610ID></imkl:identificatie>"
        "<imkl:beginLifespanVersion>2001-12-17T09:30:47Z</imkl:beginLifespanVersion>"
    )


def network(theme: str, name: str = "net") -> str:
    return (
        f'<imkl:Utiliteitsnet gml:id="{ID}.{name}">{own_id(name)}<imkl:thema xlink:href="{VALUES}/Thema/{theme}"/>'
        "</imkl:Utiliteitsnet>"
    )


def curve(positions: str = POSITIONS, crs: str = "epsg:28992") -> str:
    return (
        f'<gml:Curve srsName="{crs}" gml:id="g"><gml:segments><gml:LineStringSegment>'
        f'<gml:posList srsDimension="2">{positions}</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve>'
    )


def link(name: str = "link", geometry: str = "", more: str = "") -> str:
    return (
        f'<us-net-common:UtilityLink gml:id="{ID}.{name}">{LIFE}<net:inNetwork xlink:href="{ID}.net"/>'
        f"<net:centrelineGeometry>{geometry or curve()}</net:centrelineGeometry><net:fictitious>false</net:fictitious>"
        f"{more}</us-net-common:UtilityLink>"
    )


def line(imkl: str, more: str = "", name: str = "a", links: tuple[str, ...] = ("link",)) -> str:
    found = "".join(f'<net:link xlink:href="{ID}.{one}"/>' for one in links)
    return (
        f'<imkl:{imkl} gml:id="{ID}.{name}">{LIFE}<net:inNetwork xlink:href="{ID}.net"/>{found}'
        f'<us-net-common:currentStatus xlink:href="{INSPIRE}/ConditionOfFacilityValue/functional"/>'
        "<us-net-common:validFrom>2004-05-13T00:00:00</us-net-common:validFrom>"
        '<us-net-common:verticalPosition>underground</us-net-common:verticalPosition><us-net-common:warningType xsi:nil="true"/>'
        f"{more}</imkl:{imkl}>"
    )


def place(element: str = "net:geometry", positions: str = "155010 463000") -> str:
    return f'<{element}><gml:Point srsName="urn:ogc:def:crs:EPSG::28992" gml:id="p"><gml:pos>{positions}</gml:pos></gml:Point></{element}>'


def node(kind: str, more: str = "", name: str = "n") -> str:
    kinds = f'<us-net-common:appurtenanceType xlink:href="{VALUES}/X/{kind}"/>' if kind else ""
    return (
        f'<imkl:Appurtenance gml:id="{ID}.{name}">{LIFE}<net:inNetwork xlink:href="{ID}.net"/>{place()}'
        f"<us-net-common:validFrom>1999-01-01T00:00:00</us-net-common:validFrom>{kinds}{more}</imkl:Appurtenance>"
    )


def document(*objects: str) -> str:
    """One object a line, from line 3 on."""
    members = "\n".join(f"<gml:featureMember>{one}</gml:featureMember>" for one in objects)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<gml:FeatureCollection{SPACES} gml:id="c">\n'
        f"{members}\n</gml:FeatureCollection>\n"
    )


def read_imkl(path: Path, text: str | bytes) -> tuple[list[Feature], ImklReader]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    reader = ImklReader(path, coverage=DUTCH_COVERAGE)
    return list(reader), reader
