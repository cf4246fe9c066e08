"""The one change that makes a counterexample of a valid answer, one row a rule."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

type Change = Callable[[str], str]

ALSO: Final[Mapping[str, tuple[str, str]]] = {
    "Kontaktprofil.mailadresseBetingelse": ("Kontaktprofil.telefonnummerBetingelse", "telefonnummer"),
    "Kontaktprofil.telefonnummerBetingelse": ("Kontaktprofil.mailadresseBetingelse", "mailadresse"),
}
"""Rules that cannot be broken alone: with neither number nor address both texts are violated, whatever the change."""

NOT_OF_THE_SCHEMA: Final[Mapping[str, str]] = {
    "GmlContentRule": "the schema has the kinds of answer as an enumeration",
}
"""Rules whose counterexample the official schema refuses too, with the reason."""


@dataclass(frozen=True)
class Row:
    """A rule, the base that keeps it, the change that breaks it, and the attribute that the finding names."""

    rule: str
    base: str
    change: Change
    attribute: str


def once(pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> Change:
    """Replace the first place that matches; AssertionError when there is none."""

    def change(text: str) -> str:
        changed, count = re.subn(pattern, replacement, text, count=1, flags=re.DOTALL)
        assert count == 1, f"nothing matches {pattern}"
        return changed

    return change


def inside(element: str, change: Change) -> Change:
    """Make a change in the first element of that name only."""
    return once(rf"<ler:{element} .*?</ler:{element}>", lambda found: change(found[0]))


def put(name: str, value: str) -> Change:
    return once(rf"(<ler:{name}\b[^>]*>)[^<]*(</ler:{name}>)", rf"\g<1>{value}\g<2>")


def drop(name: str) -> Change:
    return once(rf"\n *<ler:{name}\b[^>]*(/>|>[^<]*</ler:{name}>)", "")


def void(name: str) -> Change:
    return once(rf"<ler:{name}\b([^>]*)>[^<]*</ler:{name}>", rf'<ler:{name}\1 xsi:nil="true"/>')


def unit(name: str, wrong: str) -> Change:
    return once(rf'(<ler:{name} uom=")[^"]*', rf"\g<1>{wrong}")


def swap(old: str, new: str) -> Change:
    return once(re.escape(old), new)


def add_after(name: str, element: str) -> Change:
    return once(rf"(\n *)(<ler:{name}\b[^>]*/>)", rf"\1\2\1{element}")


def arc() -> Change:
    """The first LineString as a curve with an arc through its three positions."""
    return once(
        r'<gml:LineString (.*?) srsDimension="3">(.*?)</gml:LineString>',
        r"<gml:Curve \1><gml:segments><gml:Arc>\2</gml:Arc></gml:segments></gml:Curve>",
    )


def unknown_height() -> Change:
    """The first vertex without a height."""
    return once(r"(<gml:posList>\S+ \S+ )\S+", r"\g<1>-99")


VERY_DANGEROUS: Final = put("fareklasse", "meget farlig")
_VERTICAL: Final = "geometriVertikaleKoordinaterRestriktion"


def _of_lines() -> list[Row]:
    rows = [
        Row("Ledning.driftsstatusVoidrestriktion", "pipe", void("driftsstatus"), "driftsstatus"),
        Row("Ledning.fareklasseVoidrestriktion", "pipe", void("fareklasse"), "fareklasse"),
        Row("Ledning.geometriBetingelse", "trace-with-cable", drop("indeholdtLedning"), "geometri"),
        Row("Ledning.geometriDatatyperestriktion", "pipe", arc(), "geometri"),
        Row(
            "Ledning.udvendigDiameterMåleenhedsrestriktion",
            "pipe",
            unit("udvendigDiameter", "m"),
            "udvendigDiameter",
        ),
        Row("Ledning.udvendigDiameterVoidrestriktion", "pipe", void("udvendigDiameter"), "udvendigDiameter"),
        Row(
            "LedningEllerLedningstrace.vejledendeDybdeMåleenhedsrestriktion",
            "power-cable",
            unit("vejledendeDybde", "m"),
            "vejledendeDybde",
        ),
        Row("Ledningstrace.breddeMåleenhedsrestriktion", "trace", unit("bredde", "m"), "bredde"),
        Row("Ledningstrace.geometriDatatyperestriktion", "trace", arc(), "geometri"),
    ]
    for owner, base in (("Ledning", "pipe"), ("Ledningstrace", "trace")):
        for official, name in (
            ("nøjagtighedsklasse", "noejagtighedsklasse"),
            ("nøjagtighedsklasseVertikal", "noejagtighedsklasseVertikal"),
        ):
            rows.append(Row(f"{owner}.{official}Betingelse", base, drop(name), name))
            rows.append(Row(f"{owner}.{official}Voidrestriktion", base, void(name), name))
    return rows


def _of_depths() -> list[Row]:
    rows = []
    for owner, base in (
        ("Elledning", "power-cable"),
        ("Telekommunikationsledning", "telecom-cable"),
        ("Føringsrør", "duct-of-cables"),
        ("Ledningstrace", "trace"),
    ):
        name = "vejledendeDybde"
        rows.append(Row(f"{owner}.{name}Betingelse", base, drop(name), name))
        rows.append(Row(f"{owner}.{name}Voidrestriktion", base, void(name), name))
        if owner in {"Elledning", "Telekommunikationsledning"}:
            rows.append(Row(f"{owner}.{name}Restriktion", base, drop(name), name))
            rows.append(
                Row(f"{owner}.udvendigDiameterBetingelse", base, drop("udvendigDiameter"), "udvendigDiameter")
            )
    return rows


def _of_pipes() -> list[Row]:
    rows = [Row(f"Rørledning.{_VERTICAL}", "pipe", unknown_height(), "geometri")]
    for owner, round_base, box_base in (
        ("Rørledning", "pipe", "drain"),
        ("AndenLedning", "other-line", "other-line-box"),
    ):
        rows.append(
            Row(
                f"{owner}.udvendigDiameterBetingelse",
                round_base,
                drop("udvendigDiameter"),
                "udvendigDiameter",
            )
        )
        for official, name in (("udvendigBredde", "udvendigBredde"), ("udvendigHøjde", "udvendigHoejde")):
            rows += [
                Row(f"{owner}.{official}Betingelse", box_base, drop(name), name),
                Row(f"{owner}.{official}Måleenhedsrestriktion", box_base, unit(name, "m"), name),
                Row(f"{owner}.{official}Voidrestriktion", box_base, void(name), name),
            ]
    for owner, base in (
        ("Afløbsledning", "drain"),
        ("AndenLedning", "other-line"),
        ("Elledning", "power-cable"),
        ("Føringsrør", "duct"),
        ("Gasledning", "gas-pipe"),
        ("Olieledning", "oil-pipe"),
        ("Telekommunikationsledning", "telecom-cable"),
        ("TermiskLedning", "heat-pipe"),
        ("Vandledning", "pipe"),
    ):
        if owner != "Føringsrør":
            rows.append(Row(f"{owner}.fareklasseRestriktion", base, VERY_DANGEROUS, "fareklasse"))
        if owner not in {"Elledning", "Telekommunikationsledning"}:
            rows.append(Row(f"{owner}.{_VERTICAL}", base, unknown_height(), "geometri"))
    return [
        *rows,
        Row(
            "AndenLedning.forsyningsartRestriktion",
            "other-line",
            put("forsyningsart", "vand"),
            "forsyningsart",
        ),
        Row("Gasledning.trykMåleenhedsrestriktion", "gas-pipe", unit("tryk", "Pa"), "tryk"),
        Row("Olieledning.trykMåleenhedsrestriktion", "oil-pipe", unit("tryk", "Pa"), "tryk"),
        Row("TermiskLedning.trykMåleenhedsrestriktion", "heat-pipe", unit("tryk", "Pa"), "tryk"),
        Row(
            "TermiskLedning.temperaturMåleenhedsrestriktion",
            "heat-pipe",
            unit("temperatur", "K"),
            "temperatur",
        ),
        Row(
            "Elledning.spændingsniveauMåleenhedsrestriktion",
            "power-cable",
            unit("spaendingsniveau", "V"),
            "spaendingsniveau",
        ),
    ]


def _of_components() -> list[Row]:
    def kind(component: str, value: str) -> Change:
        return inside(component, put("type", value))

    return [
        Row(
            "Afløbskomponent.brøndformTilladelse",
            "round-manhole",
            kind("Afloebskomponent", "rist"),
            "broendform",
        ),
        Row(
            "Afløbskomponent.bunddiameterbreddeMåleenhedsrestriktion",
            "square-manhole",
            unit("bunddiameterbredde", "m"),
            "bunddiameterbredde",
        ),
        Row(
            "Afløbskomponent.bundlængdeMåleenhedsrestriktion",
            "square-manhole",
            unit("bundlaengde", "m"),
            "bundlaengde",
        ),
        Row(
            "Afløbskomponent.bundlængdeTilladelse",
            "square-manhole",
            put("broendform", "cirkulær"),
            "bundlaengde",
        ),
        Row(
            "AndenKomponent.forsyningsartRestriktion",
            "other-component",
            put("forsyningsart", "gas"),
            "forsyningsart",
        ),
        Row(
            "Elkomponent.relativNiveauTilladelse", "duct-block", kind("Elkomponent", "muffe"), "relativNiveau"
        ),
        Row(
            "Elkomponent.spændingsniveauMåleenhedsrestriktion",
            "duct-block",
            unit("spaendingsniveau", "V"),
            "spaendingsniveau",
        ),
        Row("Ledningskomponent.geometriDatatyperestriktion", "sheet-piles", arc(), "geometri"),
        Row(
            "Ledningskomponent.vejledendeDybdeMåleenhedsrestriktion",
            "square-manhole",
            unit("vejledendeDybde", "m"),
            "vejledendeDybde",
        ),
        Row("Vandkomponent.anborstedTilladelse", "tapping", kind("Vandkomponent", "ventil"), "anborsted"),
        Row("Vandkomponent.stutskoteTilladelse", "valve", kind("Vandkomponent", "tank"), "stutskote"),
        Row(
            "Vandkomponent.tapstedstypeTilladelse", "outlet", kind("Vandkomponent", "ventil"), "tapstedstype"
        ),
    ]


def _of_answers() -> list[Row]:
    delivered = put("type", "ledningsoplysninger udleveret")
    expected = "forventetAfleveringstidspunkt"
    answer = "Graveforespørgselssvar"
    return [
        Row(f"{answer}.{expected}Betingelse", "manual", delivered, expected),
        Row(f"{answer}.{expected}Restriktion", "manual", delivered, expected),
        Row(f"{answer}.idRestriktion", "pipe", put("id", "svar-2024-117"), "id"),
        Row(
            f"{answer}.indholdGM_ObjectSRIDrestriktion",
            "pipe",
            swap("/EPSG/0/7416", "/EPSG/0/25832"),
            "geometri",
        ),
        Row(
            f"{answer}.indholdKoteSRIDrestriktion", "valve", swap("/EPSG/0/5799", "/EPSG/0/5733"), "stutskote"
        ),
        Row(
            f"{answer}.indholdNilReasonRestriktion",
            "pipe-of-unknown-shape",
            swap('nilReason="unknown"', 'nilReason="withheld"'),
            "tvaersnitsform",
        ),
        Row(
            f"{answer}.typeSupplerendeInfoBetingelse",
            "withheld",
            drop("typeSupplerendeInfo"),
            "typeSupplerendeInfo",
        ),
        Row(
            "Informationsressource.formatRestriktion",
            "attachment",
            swap('type="application/pdf"', 'type="image/png"'),
            "format",
        ),
        Row("Informationsressource.geometriDatatyperestriktion", "attachment", arc(), "geometri"),
        Row("Informationsressource.stiRestriktion", "attachment", put("sti", "/bilag/plan.pdf"), "sti"),
        Row(
            "Kontaktprofil.mailadresseBetingelse",
            "contact-by-telephone",
            drop("telefonnummer"),
            "mailadresse",
        ),
        Row("Kontaktprofil.telefonnummerBetingelse", "contact-by-mail", drop("mailadresse"), "telefonnummer"),
        Row("LinearAnnotation.geometryDataTypeConstraint", "annotation", arc(), "geometry"),
        Row("LinearDimension.geometryDataTypeConstraint", "dimension", arc(), "dimensionLine"),
    ]


def _of_server() -> list[Row]:
    time = "etableringstidspunkt"
    established = "EtableringsTidsPunktRule_Value"
    return [
        Row(
            f"{established}IsYearFormat_MatchConfiguration_IndeterminatePositionIsNull",
            "pipe",
            put(time, "2023"),
            time,
        ),
        Row(
            f"{established}IsHigherThanConfiguration_IndeterminatePositionIsNotNull",
            "pipe-before",
            put(time, "2024-01-01"),
            time,
        ),
        Row(
            "TvaersnitsformRestriktionEfterSkaeringsDato",
            "pipe-of-unknown-shape",
            drop("udvendigDiameter"),
            "tvaersnitsform",
        ),
        Row(
            "TvaersnitsformRestriktionFoerSkaeringsDato",
            "old-pipe-of-unknown-shape",
            add_after("tvaersnitsform", '<ler:udvendigBredde uom="mm">900</ler:udvendigBredde>'),
            "tvaersnitsform",
        ),
        Row(
            "UtilityGeometryWithinDiggingAreaRule",
            "pipe",
            swap("575050 6224020", "575100.002 6224020"),
            "geometri",
        ),
        Row("attribute-range", "power-cable", put("vejledendeDybde", "-600"), "vejledendeDybde"),
        Row("GmlContentRule", "pipe", put("type", ""), "type"),
        Row("GmlContentEmptyRule", "pipe", put("type", "ingen ledninger i graveområde"), "type"),
        Row("GmlContentNonEmptyRule", "withheld", put("type", "ledningsoplysninger udleveret"), "type"),
        Row(
            "IRFileExtensionRestriktionRuleFormatNotEqualToFileExtension",
            "attachment",
            put("sti", "bilag/plan.dwg"),
            "sti",
        ),
        Row(
            "reference-wrong-type",
            "pipe-to-valve",
            swap("#vandkomponent-1", "#vandledning-1"),
            "slutkomponent",
        ),
    ]


CHANGES: Final = (
    *_of_lines(),
    *_of_depths(),
    *_of_pipes(),
    *_of_components(),
    *_of_answers(),
    *_of_server(),
)
