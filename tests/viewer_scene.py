"""A package for the offline viewer: few features at places that a test can compute, with texts that mean harm."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shapely import LineString, MultiLineString, Point, box, force_3d

from ler.model import Feature
from ler.packages.content import DeliveredAttachment
from ler.packages.contents import Contents
from tests.package_samples import SOUTH, WEST, sample

EVIL: Final = (
    '<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script><!-- {{data}} {{7*7}}'
)
GAS_NORTHING: Final = SOUTH + 10
NEAR_M: Final = 3.0
_LINE: Final = {"driftsstatus": "i drift", "noejagtighedsklasse": "<= 0.50 m", "niveau": "under terræn"}


def feature(name: str, gml_id: str, geometry: Any, **attributes: Any) -> Feature:  # noqa: ANN401 - values of any kind
    return Feature(name, gml_id, attributes, {}, geometry)


def across(northing: float, *, height: float = 2.5) -> LineString:
    return LineString([(WEST + 2, northing, height), (WEST + 38, northing, height)])


def scene_features() -> list[Feature]:
    manhole = Point(WEST + 30, SOUTH + 30, 3)
    vault = box(WEST + 5, SOUTH + 32, WEST + 9, SOUTH + 36) - box(WEST + 6, SOUTH + 33, WEST + 8, SOUTH + 35)
    gas = _LINE | {
        "fareklasse": "farlig",
        "udvendigDiameter": 200.0,
        "vejledendeDybde": 900.0,
        "bilag": ["info.1"],
    }
    return [
        feature("Gasledning", "gas.1", across(GAS_NORTHING), **gas, id="gas-et", sikkerhedshensyn=EVIL),
        feature("Elledning", "el.1", across(SOUTH + 14), **_LINE, fareklasse="meget farlig", id="el-et"),
        feature("Vandledning", "vand.1", across(SOUTH + 20), **_LINE | {"noejagtighedsklasse": "> 2.00 m"}),
        feature("Vandledning", "vand.2", across(SOUTH - NEAR_M), **_LINE, udvendigDiameter=100.0),
        feature("Foeringsroer", "roer.1", MultiLineString([across(SOUTH + 24), across(SOUTH + 25)]), forsyningsart=["telekommunikation"]),
        feature("Vandledning", "vand.3", None, **_LINE),
        feature("Afloebskomponent", "broend.1", manhole, type="brønd", driftsstatus="permanent ude af drift"),
        feature("Elkomponent", "kasse.1", force_3d(vault), type="kabelskab"),
        feature("Informationsressource", "info.1", None, title="Snit", sti="bilag/snit%20%C3%A6.pdf", format="PDF"),
        feature("TextAnnotation", "tekst.1", Point(WEST + 20, SOUTH + 30, 0), text=EVIL[:50]),
    ]  # fmt: skip


def scene(attachment: Path | None) -> Contents:
    """Two owners that answered, one of them under a hostile name and with an attachment (None: lost), and one missing."""
    request, owners = sample(0)
    first, second, silent = owners[0], owners[2], owners[-1]
    file = DeliveredAttachment("bilag/snit æ.pdf", attachment, "0" * 64, 3, "PDF", "application/pdf")
    own, others = scene_features()[:-3], scene_features()[-3:-2]
    notes = scene_features()[-2:]
    delivery = replace(first.deliveries[0], features=[*own, *notes], attachments=[file])
    named = replace(first, name=f"Å/S {EVIL}", deliveries=(delivery,))
    other = replace(second, deliveries=(replace(second.deliveries[0], features=others),))
    folders = {str(owner.id): f"{owner.cvr}-ejer/" for owner in (named, other, silent)}
    area = box(WEST, SOUTH, WEST + 40, SOUTH + 40)
    return Contents(replace(request, id=uuid.UUID(int=3), area=area), [named, other, silent], folders=folders)
