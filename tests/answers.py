"""A small valid LER answer as text, for tests that change one thing in it."""

from pathlib import Path

from ingest.readers.ler_gml import LerGmlReader
from ler.model import Feature
from ler.settings import Settings

COVERAGE = Settings().coverage
CRS = "http://www.opengis.net/def/crs/EPSG/0/7416"

NAMESPACES = (
    'xmlns:ler="http://data.gov.dk/schemas/LER/2/gml" xmlns:gml="http://www.opengis.net/gml/3.2" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:dim="http://data.gov.dk/schemas/dimensions/2/gml" '
    'xmlns:ann="http://data.gov.dk/schemas/annotations/2/gml"'
)


def line_geometry(positions: str = "575000 6224000 1.5 575010 6224000 -99 575020 6224005 2") -> str:
    return f'<gml:LineString gml:id="g1" srsName="{CRS}" srsDimension="3"><gml:posList>{positions}</gml:posList></gml:LineString>'


WATER = f"""<ler:ledningMember><ler:Vandledning gml:id="vand.1">
<ler:driftsstatus>i drift</ler:driftsstatus>
<ler:etableringstidspunkt>1978-05</ler:etableringstidspunkt>
<ler:fareklasse>ikke farlig</ler:fareklasse>
<ler:id>b80c8fef-a677-5340-85fb-2c162d75df03</ler:id>
<ler:noejagtighedsklasse>&lt;= 0.25 m</ler:noejagtighedsklasse>
<ler:noejagtighedsklasseVertikal xsi:nil="true" nilReason="unknown"/>
<ler:geometri>{line_geometry()}</ler:geometri>
<ler:udvendigDiameter uom="mm">110</ler:udvendigDiameter>
<ler:slutkomponent xlink:href="#ventil.1"/>
<ler:tvaersnitsform>cirkulær</ler:tvaersnitsform>
</ler:Vandledning></ler:ledningMember>"""

VALVE = f"""<ler:ledningskomponentMember><ler:Vandkomponent gml:id="ventil.1">
<ler:geometri><gml:Point gml:id="g2" srsName="{CRS}"><gml:pos>575020 6224005 2</gml:pos></gml:Point></ler:geometri>
<ler:type>ventil</ler:type>
<ler:topkote srsName="http://www.opengis.net/def/crs/EPSG/0/5799">-99</ler:topkote>
</ler:Vandkomponent></ler:ledningskomponentMember>"""

HEADER = "<ler:id>3f7b3a52-6d1b-4a5e-9a3c-0f6e4c1d2b90</ler:id>\n<ler:type>ledningsoplysninger udleveret</ler:type>"


def answer(*members: str, header: str = HEADER, version: str = ' schemaVersion="2.2.0"') -> str:
    body = "\n".join(members or (WATER, VALVE))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ler:Graveforespoergselssvar {NAMESPACES} gml:id="svar.1"{version}>\n'
        f"{header}\n{body}\n</ler:Graveforespoergselssvar>\n"
    )


def reader(path: Path) -> LerGmlReader:
    return LerGmlReader(path, coverage=COVERAGE)


def read(path: Path) -> tuple[list[Feature], LerGmlReader]:
    made = reader(path)
    return list(made), made
