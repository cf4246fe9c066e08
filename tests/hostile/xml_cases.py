"""LER GML made to harm: rows of the catalogue of hostile input that concern XML and its geometry."""

import math
from collections.abc import Callable
from typing import Final

from tests.answers import CRS, HEADER, VALVE, answer, line_geometry

XXE: Final = '<!DOCTYPE x [<!ENTITY e SYSTEM "{}">]>'
LAUGHS: Final = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
PROLOG: Final = '<?xml version="1.0" encoding="UTF-8"?>'
POLYGON: Final = (
    f'<gml:Polygon gml:id="p" srsName="{CRS}"><gml:exterior><gml:LinearRing><gml:posList>'
    "575000 6224000 1 575001 6224000 1 {}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
)
WITH_HOLE: Final = POLYGON.format("575001 6224001 1 575000 6224001 1 575000 6224000 1").replace(
    "</gml:exterior>",
    "</gml:exterior><gml:interior><gml:LinearRing><gml:posList>575100 6224000 1 575101 6224000 1 "
    "575101 6224001 1 575100 6224000 1</gml:posList></gml:LinearRing></gml:interior>",
)
POINT: Final = VALVE[VALVE.index("<gml:Point") : VALVE.index("</ler:geometri>")]


def with_doctype(doctype: str, entity: str = "&e;") -> str:
    return answer(header=HEADER.replace("ledningsoplysninger", entity)).replace("?>", f"?>{doctype}", 1)


def changed(old: str, new: str) -> str:
    text = answer()
    assert old in text
    return text.replace(old, new, 1)


def positions(text: str) -> str:
    return changed(line_geometry(), line_geometry(text))


def with_point(geometry: str) -> str:
    return changed(POINT, geometry)


def star(points: int) -> str:
    """A polygon whose every edge crosses nearly every other."""
    step = points // 2
    corners = [2 * math.pi * (number * step % points) / points for number in range(points)]
    places = [f"{575500 + 400 * math.cos(a):.6f} {6224500 + 400 * math.sin(a):.6f} 1" for a in corners]
    ring = " ".join([*places, places[0]])
    return (
        f'<gml:Polygon gml:id="p" srsName="{CRS}"><gml:exterior><gml:LinearRing><gml:posList>{ring}</gml:posList>'
        "</gml:LinearRing></gml:exterior></gml:Polygon>"
    )


type Case = tuple[Callable[[str], str | bytes], str]
"""The file, given the address of the listener, and the code that it must get."""

CASES: dict[str, Case] = {
    "1 doctype": (lambda _: with_doctype("<!DOCTYPE x>", ""), "xml-doctype-forbidden"),
    "2 file entity": (lambda _: with_doctype(XXE.format("file:///etc/hostname")), "xml-doctype-forbidden"),
    "3 http entity": (lambda url: with_doctype(XXE.format(url)), "xml-doctype-forbidden"),
    "3 parameter entity": (lambda url: with_doctype(f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{url}"> %p;]>'), "xml-doctype-forbidden"),
    "3 external subset": (lambda url: with_doctype(f'<!DOCTYPE x SYSTEM "{url}">', ""), "xml-doctype-forbidden"),
    "4 billion laughs": (lambda _: with_doctype(f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>', "&l9;"), "xml-doctype-forbidden"),
    "5 quadratic": (lambda _: with_doctype(f'<!DOCTYPE x [<!ENTITY e "{"a" * 10_000_000}">]>', "&e;" * 1000), "xml-doctype-forbidden"),
    "6 attribute of 20 MB": (lambda _: changed('gml:id="vand.1"', f'gml:id="vand.1" x="{"a" * 20_000_000}"'), "xml-limit"),
    "6 attribute of 20 MB on the root": (lambda _: changed('gml:id="svar.1"', f'gml:id="svar.1" x="{"a" * 20_000_000}"'), "xml-limit"),
    "6 thousands of attributes": (lambda _: changed("<ler:driftsstatus", "<ler:driftsstatus " + " ".join(f'a{n}=""' for n in range(5000))), "xml-limit"),
    "6 thousands of names": (lambda _: answer("".join(f"<a{n}/>" for n in range(100_000))), "xml-limit"),
    "6 millions of elements": (lambda _: changed("<ler:driftsstatus>", "<a/>" * 2_000_000 + "<ler:driftsstatus>"), "xml-limit"),
    "6 endless comment": (lambda _: changed("<ler:driftsstatus>", f"<!--{'x' * 20_000_000}--><ler:driftsstatus>"), "xml-limit"),
    "7 300 nested": (lambda _: answer("<x>" * 300 + "</x>" * 300), "xml-limit"),
    "7 a million nested": (lambda _: answer("<x>" * 1_000_000), "xml-limit"),
    "9 link to http": (lambda url: changed("<ler:geometri>", f'<ler:geometri xlink:href="{url}">'), "xml-external-reference"),
    "9 link to a file": (lambda _: changed("<ler:geometri>", '<ler:geometri xlink:href="file:///etc/hostname">'), "xml-external-reference"),
    "9 link inside": (lambda url: with_point(f'<gml:MultiPoint srsName="{CRS}"><gml:pointMember xlink:href="{url}"/></gml:MultiPoint>'), "xml-external-reference"),
    "10 XInclude": (lambda url: changed("<ler:type>", f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{url}"/><ler:type>'), "element-unknown"),
    "12 Latin-1 as UTF-8": (lambda _: answer().encode("iso-8859-1"), "encoding-invalid"),
    "12 UTF-8 as UTF-16": (lambda _: answer().replace("UTF-8", "UTF-16").encode(), "encoding-invalid"),
    "13 UTF-7": (lambda _: answer().replace("UTF-8", "UTF-7"), "encoding-unsupported"),
    "13 EBCDIC": (lambda _: answer().replace("UTF-8", "IBM037"), "encoding-unsupported"),
    "14 truncated": (lambda _: answer()[:-300], "xml-not-well-formed"),
    "14 truncated in a tag": (lambda _: answer()[: answer().index("tvaersnitsform") + 4], "xml-not-well-formed"),
    "15 HTML": (lambda _: "<html><body/></html>", "format-not-supported"),
    "15 SVG": (lambda _: '<svg xmlns="http://www.w3.org/2000/svg"/>', "format-not-supported"),
    "15 KML": (lambda _: '<kml xmlns="http://www.opengis.net/kml/2.2"/>', "format-not-supported"),
    "16 VRT to a file": (lambda _: '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>', "format-not-supported"),
    "16 VRT to http": (lambda url: f'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/{url}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>', "format-not-supported"),
    "16 VRT with SQL": (lambda _: '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcSQL>SELECT 1</SrcSQL></OGRVRTLayer></OGRVRTDataSource>', "format-not-supported"),
    "17 WFS": (lambda url: f"<OGRWFSDataSource><URL>{url}</URL></OGRWFSDataSource>", "format-not-supported"),
    "17 GMLAS": (lambda _: "<GMLASConfiguration/>", "format-not-supported"),
    "45 NaN": (lambda _: positions("575000 6224000 NaN 575010 6224000 1"), "coordinate-not-finite"),
    "46 infinity": (lambda _: positions("575000 INF 1 575010 6224000 1"), "coordinate-not-finite"),
    "46 1e400": (lambda _: positions("575000 1e400 1 575010 6224000 1"), "coordinate-not-finite"),
    "48 empty": (lambda _: positions(""), "Check3DGeometryRule"),
    "48 no positions": (lambda _: changed(line_geometry(), f'<gml:LineString gml:id="g1" srsName="{CRS}"/>'), "geometry-empty"),
    "51 length 0": (lambda _: positions("575000 6224000 1 575000 6224000 1"), "geometry-degenerate"),
    "52 ring not closed": (lambda _: with_point(POLYGON.format("575001 6224001 1 575000 6224001 1")), "geometry-invalid"),
    "52 ring of three": (lambda _: with_point(POLYGON.format("575000 6224000 1")), "geometry-invalid"),
    "52 ring that crosses itself": (lambda _: with_point(POLYGON.format("575000 6224001 1 575001 6224001 1 575000 6224000 1")), "geometry-invalid"),
    "52 hole outside": (lambda _: with_point(WITH_HOLE), "geometry-invalid"),
    "52 ring of 10,000 edges that all cross": (lambda _: with_point(star(9_999)), "geometry-invalid"),
    "53 ring of 100,000 edges that all cross": (lambda _: with_point(star(99_999)), "geometry-limit"),
    "53 ten million vertices": (lambda _: positions("575000 6224000 1 575010 6224000 1 " * 1_000_000), "geometry-limit"),
    "53 200,000 vertices": (lambda _: positions("575000 6224000 1 575010 6224000 1 " * 100_000), "geometry-limit"),
    "55 degrees": (lambda _: positions("12.5 55.7 1 12.6 55.8 1"), "crs-out-of-area"),
    "56 axes swapped": (lambda _: positions("6224000 575000 1 6224010 575000 1"), "crs-axis-order"),
    "58 unknown system": (lambda _: changed('EPSG/0/7416" srsDimension', 'EPSG/0/999999" srsDimension'), "indholdGM_ObjectSRIDrestriktion"),
    "58 no system": (lambda _: changed(f'srsName="{CRS}" srsDimension="3"', ""), "indholdGM_ObjectSRIDrestriktion"),
    "58 two systems": (lambda _: changed("<gml:posList>", '<gml:posList srsName="urn:x">'), "indholdGM_ObjectSRIDrestriktion"),
    "60 another unknown height": (lambda _: positions("575000 6224000 -9999 575010 6224000 1"), "height-impossible"),
    "61 depth below 0": (lambda _: changed("<ler:geometri>", '<ler:vejledendeDybde uom="mm">-600</ler:vejledendeDybde><ler:geometri>'), "attribute-range"),
    "61 depth of 400 m": (lambda _: changed("<ler:geometri>", '<ler:vejledendeDybde uom="mm">400000</ler:vejledendeDybde><ler:geometri>'), "attribute-range"),
    "62 four numbers a vertex": (lambda _: positions("575000 6224000 1 0 575010 6224000 1 0"), "Check3DGeometryRule"),
    "63 arc": (lambda _: changed(line_geometry(), f'<gml:Curve gml:id="g1" srsName="{CRS}"><gml:segments><gml:Arc><gml:posList>575000 6224000 1 575010 6224010 1 575020 6224000 1</gml:posList></gml:Arc></gml:segments></gml:Curve>'), "geometriDatatyperestriktion"),
    "64 solid": (lambda _: with_point(f'<gml:Solid gml:id="s" srsName="{CRS}"/>'), "geometriDatatyperestriktion"),
    "65 mixed collection": (lambda _: with_point(f'<gml:MultiGeometry gml:id="s" srsName="{CRS}"/>'), "geometriDatatyperestriktion"),
    "66 nested collections": (lambda _: with_point(f'<gml:MultiSurface srsName="{CRS}">' * 100_000), "xml-limit"),
}  # fmt: skip
