"""The letter and the files to be read first: what they say, that others' words do no harm in them, and how they lie."""

import json
import re
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pyogrio
import pytest
from lxml import html
from shapely import LineString

from ler.domain.answers import Appointment
from ler.domain.states import OwnerState
from ler.model import Feature
from ler.packages.care import care_of
from ler.packages.content import AreaStatus, Contact, DeliveredAttachment, OwnerStatus, RequestInfo
from ler.packages.contents import Contents
from ler.packages.described import described
from ler.packages.letter import compose
from ler.packages.letter_flow import ROOM, lay_out
from ler.packages.letter_html import write_letter_html
from ler.packages.letter_parts import email, member, phone
from ler.packages.letter_pdf import write_letter_pdf
from ler.packages.members import MEMBERS, Of
from ler.packages.package import write_consolidated_package, write_owner_package
from ler.packages.readme import write_danish, write_english
from ler.packages.recipe import warnings_of
from ler.packages.warnings import NearestZone, OwnersMeasure, UtilityWarning
from tests.package_samples import ASKED_AT, SOUTH, WEST, sample

EVIL = "<script>alert(1)</script>\u202e\x00\u200b\r\nGRAV BARE \"'>&{{7*7}} " + "W" * 400
_TURNING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u200b\u202a-\u202e\u2066-\u2069]")


def page(contents: Contents, folder: Path) -> Any:  # noqa: ANN401 - lxml's own
    write_letter_html(folder / "letter.html", contents)
    return html.document_fromstring((folder / "letter.html").read_bytes())


def printed(contents: Contents, folder: Path) -> str:
    write_letter_pdf(folder / "letter.pdf", contents)
    return subprocess.run(
        ["pdftotext", "-raw", folder / "letter.pdf", "-"], check=True, capture_output=True, text=True
    ).stdout


def text_of(element: Any) -> str:  # noqa: ANN401 - lxml's own
    return " ".join(element.text_content().split())


def with_owner(owners: list[OwnerStatus], number: int, **changes: Any) -> list[OwnerStatus]:  # noqa: ANN401 - fields
    return [replace(one, **changes) if at == number else one for at, one in enumerate(owners)]


def test_whether_anybody_may_dig_is_the_first_thing_said(tmp_path: Path) -> None:
    request, owners = sample(20)
    read, text = page(Contents(request, owners), tmp_path), printed(Contents(request, owners), tmp_path)
    stop = "GRAV IKKE: 1 af 11 ledningsejere mangler at svare."
    until = "Seneste svarfrist: 2026-11-03 10:30 CET."
    assert text_of(read.find("body")).startswith(stop)
    assert until in text_of(read.find("body"))[:150]
    assert text.startswith(stop)
    assert " ".join(text.split()).index("DO NOT DIG: 1 owner missing of 11.") < 200
    pages = text.rstrip("\f").split("\f")
    assert all(("GRAV IKKE" in one) or ("DO NOT DIG" in one) for one in pages)
    for write, words in ((write_danish, stop), (write_english, "DO NOT DIG: 1 owner missing of 11.")):
        write(tmp_path / "readme", Contents(request, owners))
        assert (tmp_path / "readme").read_text(encoding="utf-8").startswith(words)


def test_each_owner_is_told_with_whom_to_call_and_what_holds(tmp_path: Path) -> None:
    request, owners = sample(20)
    meeting = Appointment(ASKED_AT, ASKED_AT, "Havnegade 1", "+45 11 22 33 44")
    marked = AreaStatus(101, OwnerState.TO_BE_MARKED, None, appointment=meeting)
    owners = with_owner(owners, 1, areas=(marked,))
    read = page(Contents(request, owners), tmp_path)
    (danish, english) = read.findall(".//article")
    assert (danish.get("lang"), english.get("lang"), read.get("lang")) == ("da", "en", "da")
    assert [text_of(one) for one in danish.iter("h3")] == [one.name for one in owners]
    links = {one.get("href") for one in english.iter("a")}
    assert {"tel:87654321", "mailto:vagt@example.dk", "tel:+4511223344", "mailto:tavs@example.dk"} <= links
    told = text_of(english)
    for words in (
        "MISSING: DO NOT DIG",
        "not answered, due 2026-11-03 10:30 CET, OVERDUE",
        "2026-11-02 10:30 CET – 2026-11-02 10:30 CET, Havnegade 1, +45 11 22 33 44",
        "The owner has lines here that the package does not show.",
        "Ring først på telefon 12345678.",
        "version 3, published 2026-11-01 10:30 CET",
        "Valid until and including 2026-12-31",
        "2 in all: 2 power cable",
    ):
        assert words in told


def test_danger_comes_first_and_is_counted_by_where_it_lies() -> None:
    request, owners = sample(0)
    delivery = owners[0].deliveries[0]

    def cable(number: int, danger: str, east: float, **more: str) -> Feature:
        found = Feature("Elledning", f"e{number}", {"fareklasse": danger, "udvendigDiameter": 40.0, **more})
        found.geometry = LineString([(east, SOUTH + 1, 1), (east, SOUTH + 2, 1)])
        return found

    care = "Må ikke berøres\u202e"
    features = [
        cable(1, "farlig", WEST + 1, noejagtighedsklasse="<= 0.25 m"),
        cable(2, "meget farlig", WEST + 1, sikkerhedshensyn=care, noejagtighedsklasse="<= 0.50 m"),
        cable(3, "meget farlig", WEST - 1.5, sikkerhedshensyn=care),
        cable(4, "meget farlig", WEST - 1.5, noejagtighedsklasse="<= 0.50 m"),
        cable(5, "ikke farlig", WEST + 1, noejagtighedsklasse="<= 0.50 m"),
    ]
    owners = with_owner(owners, 0, deliveries=(replace(delivery, features=features),))
    found = care_of(Contents(request, owners).assessed, owners)
    assert [(one.danger.value, one.inside, one.reaching, one.total) for one in found.dangers] == [
        ("meget farlig", 1, 1, 3),
        ("farlig", 1, 0, 1),
    ]
    assert [(one.text, one.count) for one in found.precautions] == [("Må ikke berøres", 2)]
    ((place),) = found.places
    assert (place.total, place.unknown) == (5, 1)
    assert place.farthest_m == pytest.approx(5.02)


def test_of_each_owner_and_utility_the_highest_is_shown(tmp_path: Path) -> None:
    request, owners = sample(20)
    zone = NearestZone("hand-dig", "håndgravning", "hand dig", 0.61, 0.1, "p", 1200, 1300, "fordi", "because")
    rows = [
        OwnersMeasure(
            number, f"mål {number}", f"{EVIL} {number}", "vagten", 5, 2, "p", (), "fordi", "because"
        )
        for number in (1, 2, 3)
    ]
    warnings = [
        UtilityWarning(owners[0].id, "el", zone, rows),
        UtilityWarning(owners[1].id, None, None, rows[2:]),
    ]
    contents = Contents(request, owners, warnings=warnings)
    read, text = page(contents, tmp_path), " ".join(printed(contents, tmp_path).split())
    danish, english = (text_of(one) for one in read.findall(".//article"))
    for told in (danish, text):
        assert "Håndgravning inden for 0,61 m. Ledninger: 1.200, nærmest 0,1 m" in told
        assert "mål 1; varsel 5 arbejdsdage; vagten; og 2 andre" in told
        assert "mål 2" not in told
    assert "Hand dig within 0.61 m. Lines: 1,200, nearest 0.1 m" in english
    assert "mål 3; varsel" in danish
    assert not _TURNING.search(english)
    # Nobody has looked: the letter is as it was before there were any.
    assert "Det, arbejdet kan komme for nær" not in text_of(page(Contents(request, owners), tmp_path))
    made = write_consolidated_package(tmp_path / "one", request, owners, warnings=warnings)
    assert made.manifest["warnings"][0]["precautions"][2]["reason_da"] == "fordi"
    again = write_consolidated_package(
        tmp_path / "two", request, owners, warnings=warnings_of(json.loads(json.dumps(made.recipe)))
    )
    assert again.sha256 == made.sha256


def _evil(request: RequestInfo, owners: list[OwnerStatus]) -> Contents:
    """Every text that somebody else gives."""
    owner = owners[1]
    meeting = Appointment(ASKED_AT, ASKED_AT, EVIL, EVIL)
    line = Feature("Elledning", "e", {"fareklasse": "farlig", "sikkerhedshensyn": EVIL})
    lost = DeliveredAttachment(EVIL, None, "0" * 64, 1, EVIL, EVIL)
    delivery = replace(owner.deliveries[0], further_information=EVIL, features=[line], attachments=[lost])
    hostile = replace(
        owner,
        cvr=EVIL,
        name=EVIL,
        phone=EVIL,
        email=EVIL,
        contacts=(Contact(EVIL, EVIL, EVIL, EVIL),),
        areas=(AreaStatus(101, OwnerState.TO_BE_MARKED, None, appointment=meeting),),
        deliveries=(delivery,),
    )
    asked = replace(request, purpose=EVIL, description=EVIL, order_reference=EVIL)
    return Contents(asked, [hostile], None, folders={str(hostile.id): "evil/"})


def test_words_of_others_do_no_harm(tmp_path: Path) -> None:
    contents = _evil(*sample(2))
    read = page(contents, tmp_path)
    raw = (tmp_path / "letter.html").read_text(encoding="utf-8")
    assert not _TURNING.search(raw)
    assert {one.tag for one in read.iter()} & {"script", "img", "iframe", "object", "form"} == set()
    assert all(not name.startswith("on") for one in read.iter() for name in one.keys())  # noqa: SIM118 - no mapping
    assert {one.get("href").partition(":")[0] for one in read.iter("a")} <= {
        "#da",
        "#en",
        *(unquote(name.format(order=4711)) for name in (one.name for one in described())),
    }
    assert "{{7*7}}" in raw
    told = printed(contents, tmp_path)
    assert not _TURNING.search(told.replace("\f", ""))
    write_danish(tmp_path / "readme", contents)
    lines = (tmp_path / "readme").read_text(encoding="utf-8").split("\r\n")
    assert not any(line.lstrip().startswith("GRAV BARE") for line in lines)
    assert not _TURNING.search("".join(lines))


def test_links_lead_only_where_they_say() -> None:
    assert phone("+45 12 34 56 78")[0].href == "tel:+4512345678"
    assert phone("12345678;ext=99*31#")[0].href is None
    assert email("vagt+net@exåmple.dk")[0].href == "mailto:vagt+net@ex%C3%A5mple.dk"
    for address in ("a@b.dk?bcc=c@d.dk", "javascript:alert(1)", "a@b.dk,c@d.dk", "a'@b.dk"):
        assert email(address)[0].href is None
    assert member("javascript:alert(1)/ø #1.pdf")[0].href == "javascript%3Aalert%281%29/%C3%B8%20%231.pdf"


def test_every_file_that_the_letter_names_is_in_the_package(tmp_path: Path) -> None:
    request, owners = sample(4)
    (tmp_path / "kept").write_bytes(b"a")
    files = [
        DeliveredAttachment(path, tmp_path / "kept", f"{at}" * 64, 1, "pdf", "application/pdf")
        for at, path in enumerate(("Ledningsoplysninger.gml", "bilag/æ #1.pdf"))
    ]
    owners = with_owner(owners, 0, deliveries=(replace(owners[0].deliveries[0], attachments=files),))
    made = write_consolidated_package(tmp_path, request, owners)
    with zipfile.ZipFile(made.path) as package:
        names = set(package.namelist())
        read = html.document_fromstring(package.read("Foelgebrev.html"))
    links = [one.get("href", "") for one in read.iter("a")]
    linked = {unquote(one) for one in links if ":" not in one}
    assert linked - {"#da", "#en"} <= names
    assert {name for name in names if "/" not in name} <= linked
    assert {name for name in linked if "bilag" in name or "Ledningsoplysninger" in name} == {
        "10000000-noerreby-net-vand-0/100/Ledningsoplysninger.gml",
        "10000000-noerreby-net-vand-0/bilag/æ #1.pdf",
    }


def test_sketches_are_listed_by_address_in_all_that_is_read_first(tmp_path: Path) -> None:
    request, owners = sample(4)
    (tmp_path / "kept").write_bytes(b"a")
    sketched, lost, bare = (UUID(int=number) for number in (1, 2, 3))
    files = [
        DeliveredAttachment(name, file, "a" * 64, 1, "pdf", "application/pdf", address_id)
        # The name is taken where no folder is about it.
        for name, file, address_id in (
            ("README.txt", tmp_path / "kept", sketched),
            ("b.pdf", None, lost),
            ("c.pdf", tmp_path / "kept", None),
        )
    ]
    request = replace(request, address_ids=(bare, sketched, lost))
    owners = with_owner(owners, 0, deliveries=(replace(owners[0].deliveries[0], attachments=files),))
    for made, place in (
        (
            write_consolidated_package(tmp_path, request, owners),
            f"{owners[0].cvr}-noerreby-net-vand-0/README.txt",
        ),
        (write_owner_package(tmp_path, request, owners[0]), "100/README.txt"),
    ):
        assert made.manifest["request"]["address_ids"] == [str(one) for one in request.address_ids]
        assert made.manifest["addresses"] == [
            {"address_id": str(bare), "sketches": []},
            {"address_id": str(sketched), "sketches": [{"cvr": owners[0].cvr, "member": place}]},
            {"address_id": str(lost), "sketches": [{"cvr": owners[0].cvr, "member": None}]},
        ]
        (first, *_) = made.manifest["owners"]
        assert [one["address_id"] for one in first["attachments"]] == [str(sketched), str(lost), None]
        with zipfile.ZipFile(made.path) as package:
            assert package.read(place) == b"a"
            readme = package.read("README.txt").decode()
        assert f"{bare}: no owner has sent a sketch" in readme
        assert f"{sketched}: {place}" in readme
        assert f"{lost}: the file is lost; ask {owners[0].name}" in readme
    letter = page(Contents(request, owners, folders={str(owners[0].id): "a/"}), tmp_path)
    rows = [[text_of(cell) for cell in row] for row in letter.iter("tr")]
    assert [str(bare), "", "ingen ejer har sendt en skitse"] in rows
    assert [str(sketched), owners[0].name, "a/README.txt"] in rows
    assert "House connections" not in text_of(page(Contents(sample(4)[0], owners), tmp_path))


def test_the_description_knows_every_member_and_no_other() -> None:
    told = {(one.name, one.of) for one in described()}
    made = {(one.name, one.of.name.lower()) for one in MEMBERS}
    assert told - made == {("manifest.json", Of.BOTH.name.lower())}
    assert made <= told
    assert all(
        one.words[language] and one.opens[language] for one in described() for language in ("da", "en")
    )


def test_the_data_alone_say_whether_they_are_complete(tmp_path: Path) -> None:
    request, owners = sample(4)
    made = write_consolidated_package(tmp_path, request, owners)
    whole = write_consolidated_package(tmp_path / "whole", request, owners[2:4])
    own = write_owner_package(tmp_path / "own", request, owners[2])
    expected = (
        (made, 3, False, "GRAV IKKE: 1 af 11 ledningsejere mangler at svare."),
        (whole, 3, True, "Alle 2 ledningsejere har svaret."),
        (own, None, True, "Ledningsejeren har svaret."),
    )
    for package, revision, complete, words in expected:
        with zipfile.ZipFile(package.path) as archive:
            names = archive.namelist()
            archive.extractall(package.path.parent / "out")
        for name in (name for name in names if name.endswith((".gpkg", "4711.geojson")) and "/" not in name):
            layer = "Graveomraade" if name.endswith(".gpkg") else None
            row = pyogrio.read_dataframe(package.path.parent / "out" / name, layer=layer).iloc[0]
            assert bool(row["complete"]) is complete
            assert row["advice_da"].startswith(words)
            assert row["advice_en"]
            assert (None if row["revision"] != row["revision"] else row["revision"]) == revision


def test_a_letter_of_two_hundred_owners_fills_its_pages(tmp_path: Path) -> None:
    request, owners = sample(20)
    many = [replace(owners[n % 11], id=UUID(int=5000 + n), name=f"Net nr. {n:03}") for n in range(200)]
    contents = Contents(request, many)
    text = printed(contents, tmp_path)
    assert set(re.findall(r"Net nr\. (\d{3})", text)) == {f"{n:03}" for n in range(200)}
    pages = text.rstrip("\f").split("\f")
    assert f"side 1 af {len(pages)}" in pages[0]
    assert f"page {len(pages)} of {len(pages)}" in pages[-1]
    first = (tmp_path / "letter.pdf").read_bytes()
    write_letter_pdf(tmp_path / "again.pdf", Contents(request, many))
    assert (tmp_path / "again.pdf").read_bytes() == first


def test_nothing_runs_off_a_sheet() -> None:
    contents = _evil(*sample(2))
    letter = compose(contents, "da")
    for sheet in lay_out(letter, [letter.state], lambda text, _: 0.6 * len(text)):
        assert sum(row.height for row in sheet.rows) <= ROOM
        assert not sheet.rows[-1].keep
        for row in sheet.rows:
            for piece in row.pieces:
                assert piece.x + 0.6 * len(piece.text.rstrip()) * piece.size <= 174.01
                assert 0 < piece.y <= row.height
