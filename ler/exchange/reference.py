"""What maps between LER, IMKL, INSPIRE US and MUDDI as a page: `python -m ler.exchange.reference > docs/reference/exchange.md`."""

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from ler.exchange.tables import LOST, Codes, Field, load_imkl, load_muddi
from ler.model import FeatureType, Kind, load_model

_HEAD: Final = """\
# Exchange with the neighbours: IMKL, INSPIRE US, MUDDI

Made from [`imkl.toml`](../../ler/exchange/imkl.toml) and [`muddi.toml`](../../ler/exchange/muddi.toml) by
`python -m ler.exchange.reference`; do not edit. The same tables drive the writers and the reader; a test holds that no
attribute of LER is missing.

```sh
ler convert GI_gebiedsinformatielevering_24G000123_1_V2.xml net.gml --to 2.2.0   # or the ZIP that KLIC delivers
ler check delivery.zip                            # every value that LER cannot hold, with its line
ler convert net.gml net.xml --to imkl             # also an owner's GML of a package
ler convert net.gml net.json --to muddi-geojson   # or muddi-gpkg
ler network export --owner 12345678 --out net.xml --format imkl
```

Each command ends with an account: field, how often, what became of it, the first place. Exit code 1: something was lost.

## IMKL

IMKL 2.0, the profile of INSPIRE US that the Dutch KLIC exchanges; files of IMKL 1.2 are read by the same rules.

- Read is `gml:FeatureCollection` with the namespace of IMKL, alone or as the `GI_gebiedsinformatielevering_*.xml` of a KLIC
  delivery (ZIP), whose letters, pictures and descriptions are never opened. The rules for XML of [formats](formats.md) hold.
- Coordinates are RD (EPSG:28992), two numbers a vertex, three decimals. PROJ without grids gives 0.25 m between RD and
  ETRS89 in the Netherlands (`crs-accuracy`); in Denmark RD is far outside the area it is made for, and only the same
  operation leads back. Lines outside the coverage of the platform (`LER_COVERAGE`) are refused as in any other file.
- Heights of vertices are not written: nothing here converts DVR90 to NAP. Depth is an object of its own, the least of
  several is kept.
- A line that lies in a duct or a trace and has no geometry gets that of the duct, as in KLIC's own examples (`assumed`).
- A line in several pieces has a UtilityLink each; read, pieces that do not meet become features `ID`, `ID_2` and so on.
- What LER demands and IMKL does not have is void where it may be, else to be added: the time of establishment, and `id` and
  `type` of the answer.
- KLIC itself takes only files with an owner's code of its own (`nl.imkl-KL1234…`), at most 5,000 vertices of a geometry, and
  no void `currentStatus`, `oilGasChemicalsProductType`, `sewerWaterType`, `waterType`, `thermalProductType`, `operatingVoltage` or
  `pressure`. The export names the owner by CVR number (`dk.ler-12345678.…`) and leaves unknown what is unknown.
- The export was held against the schema of IMKL 2.0 and found valid, with those of INSPIRE rewritten from their text (net,
  us-net-common) and from KLIC's examples (the themes). Schemas are no part of this project, so no test repeats it.
- Of a KLIC delivery are not read, and told by class: requests, polygons of requests, interests, managers, deliveries,
  general attachments, precautions (AanduidingEisVoorzorgsmaatregel) and own topography (EigenTopografie).

## MUDDI

MUDDI 1.0 is a conceptual model (OGC 23-024); encodings are left to profiles. Classes and properties are those of Core; the
names are those of the open logical schema, since the text of the standard could not be read. Beside them stand all attributes of
LER under their own names with `ler_` before, so that nothing but attachments is lost.

- JSON-FG 1.0: `featureType` is the class, `place` is in EPSG:7416 where every vertex has a height and in EPSG:25832 otherwise,
  `geometry` in WGS 84, `time` since when it is there. GeoJSON readers see `geometry` and `properties`.
- GeoPackage: a layer a class, EPSG:7416, unknown heights are NaN.
- Identifiers (`system_id`) are made of the owner and the `gml:id`: the same object always has the same.

"""

_KEPT: Final = {"whole": "whole", "coarser": "in part", "text": "as text", LOST: "**lost**"}


def exchange_reference() -> str:
    """Return the whole page."""
    table = load_imkl()
    model = load_model()
    lines = [_HEAD.rstrip(), "", "## Classes", ""]
    lines += _rows(
        ["LER", "IMKL 2.0", "INSPIRE US 4.0", "MUDDI", "Source", "Note"],
        (
            [row.ler, row.imkl, row.inspire or "-", _muddi_class(model.types[row.ler]), row.source, row.note]
            for row in table.classes
        ),
    )
    lines += [
        "",
        "A component is an accessory in MUDDI by its kind:",
        "",
        *(f"- `{kind}`: {', '.join(words)}" for kind, words in load_muddi()["kinds"].items()),
        "",
        "## Fields",
        "",
        "*Kept* is for IMKL and back: whole, in part, as words of a text that are read back, or lost. INSPIRE US has what stands",
        "in one of its namespaces. Sources are explained in `imkl.toml`; `none` means that no source could be read.",
        "",
    ]
    columns = ["LER", "Of", "IMKL 2.0", "INSPIRE US", "MUDDI", "Kept", "Source", "Note"]
    lines += _rows(columns, (_field(row) for row in table.fields))
    lines += ["", "## Codes", "", "Where several words have one code, the first comes back."]
    for name, codes in table.codes.items():
        lines += ["", *_codes(name, codes)]
    lines += ["", "## Kinds of components", ""]
    lines += [
        "A kind that is not here is an Appurtenance of void type; the kind stands in `omschrijving` in any case."
    ]
    for name, codes in table.kinds.items():
        lines += ["", *_codes(name, codes)]
    return "\n".join(lines).rstrip() + "\n"


def lost_attributes() -> list[tuple[str, str]]:
    """Return type and attribute of everything that IMKL has no place for."""
    table = load_imkl()
    return [
        (feature_type.name, attribute.name)
        for feature_type in load_model().concrete()
        for attribute in feature_type.attributes
        if attribute.kind is not Kind.GEOMETRY
        and ((row := table.field_of(feature_type, attribute.name)) is None or row.kept == LOST)
    ]


def _field(row: Field) -> list[str]:
    muddi = load_muddi()
    element = row.element if row.nodes == row.element else f"{row.element}, on components {row.nodes}"
    inspire = row.element if row.element.startswith(("net:", "us-net")) else "-"
    beside = f"{muddi['prefix']}{row.ler}"
    own = muddi["fields"].get(row.ler)
    return [
        f"`{row.ler}`",
        ", ".join(row.types) or "all",
        element or "-",
        inspire,
        f"{own}; {beside}" if own else beside,
        _KEPT[row.kept],
        row.source or "xsd",
        row.note,
    ]


def _muddi_class(feature_type: FeatureType) -> str:
    names = (feature_type.name, *feature_type.ancestors)
    classes = load_muddi()["classes"]
    return next((str(classes[name]) for name in names if name in classes), "-")


def _codes(name: str, codes: Codes) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield f"Source: {codes.source}."
    if not codes.values:
        return
    yield ""
    read = {code: word for code, word in codes.back.items() if word}
    named = [
        [word, code, "yes" if read.get(code.casefold()) == word else "no"]
        for word, code in codes.values.items()
    ]
    known = {code.casefold() for code in codes.values.values()}
    only = [[word, code, "only read"] for code, word in read.items() if code not in known]
    yield from _rows(["LER", "The other", "Comes back"], [*named, *only])


def _rows(columns: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


if __name__ == "__main__":
    sys.stdout.write(exchange_reference())
