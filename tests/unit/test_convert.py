"""Conversion between the versions of the model: what stays, what is lost, what must be added; officially valid."""

from pathlib import Path

import pytest

from ingest.convert import Converted, FaultyFileError, convert_file
from ingest.readers.ler_gml import LerGmlReader
from ler.errors import RefusedError
from ler.model import VERSIONS, Feature
from ler.model.convert import Change
from ler.packages.gml import IdTakenError, stream_answer
from tests.answers import COVERAGE, VALVE, WATER, answer
from tests.official import SAMPLES, needs_samples, needs_schemas, schema_errors

GAS = """<ler:ledningMember><ler:Gasledning gml:id="gas.1">
<ler:driftsstatus>i drift</ler:driftsstatus>
<ler:etableringstidspunkt>1978-05</ler:etableringstidspunkt>
<ler:fareklasse>farlig</ler:fareklasse>
<ler:vejledendeDybde uom="mm" xsi:nil="true"/>
<ler:tvaersnitsform>cirkulær</ler:tvaersnitsform>
<ler:udnyttelsesgrad>0.5</ler:udnyttelsesgrad>
<ler:type>distributionsledning</ler:type>
<ler:medietype>naturgas</ler:medietype>
</ler:Gasledning></ler:ledningMember>"""


def saved(folder: Path, text: str, name: str = "in.gml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def converted(source: Path, version: str, name: str = "out.gml") -> Converted:
    return convert_file(source, source.parent / name, version=version, coverage=COVERAGE)


def account(made: Converted) -> dict[tuple[str, str, str], int]:
    return {
        (str(changed.change), changed.feature_type, changed.attribute): told.count
        for changed, told in made.conversion.account.items()
    }


def features(path: Path) -> list[Feature]:
    reader = LerGmlReader(path, coverage=COVERAGE)
    found = list(reader)
    assert not reader.findings.errors
    return found


@needs_samples
@needs_schemas
@pytest.mark.parametrize("version", VERSIONS)
def test_every_feature_type_is_valid_in_every_version(tmp_path: Path, version: str) -> None:
    source = saved(tmp_path, (SAMPLES / "answer_all_types_2.2.0.gml").read_text(encoding="utf-8"))
    made = converted(source, version)
    assert schema_errors(made.path, version) == []
    assert made.feature_count == len(features(source))
    again = converted(made.path, VERSIONS[-1], "back.gml")
    assert schema_errors(again.path) == []
    assert [f.gml_id for f in features(again.path)] == [f.gml_id for f in features(source)]


@needs_samples
def test_to_its_own_version_nothing_changes(tmp_path: Path) -> None:
    source = saved(tmp_path, (SAMPLES / "answer_all_types_2.2.0.gml").read_text(encoding="utf-8"))
    made = converted(source, "2.2.0")
    assert made.conversion.faithful
    for before, after in zip(features(source), features(made.path), strict=True):
        assert (before.type, before.gml_id, before.attributes, before.voids) == (
            after.type,
            after.gml_id,
            after.attributes,
            after.voids,
        )
        assert (before.geometry is None) == (after.geometry is None)


def test_down_drops_what_the_older_version_lacks_and_counts_it(tmp_path: Path) -> None:
    made = converted(saved(tmp_path, answer(WATER, GAS, VALVE)), "2.0.0")
    assert account(made) == {
        ("other-meaning", "Vandledning", "noejagtighedsklasse"): 1,
        ("value-lost", "Vandledning", "noejagtighedsklasseVertikal"): 1,
        ("value-lost", "Gasledning", "udnyttelsesgrad"): 1,
        ("value-lost", "Gasledning", "medietype"): 1,
        ("void-lost", "Gasledning", "vejledendeDybde"): 1,
    }
    assert not made.faithful
    gas = features(made.path)[1]
    assert set(gas.attributes) == {
        "driftsstatus",
        "etableringstidspunkt",
        "fareklasse",
        "tvaersnitsform",
        "type",
    }
    assert gas.voids == {}
    assert 'schemaVersion="2.0.0"' in made.path.read_text(encoding="utf-8")


def test_a_void_that_the_other_version_allows_stays(tmp_path: Path) -> None:
    made = converted(saved(tmp_path, answer(GAS)), "2.1.0")
    assert account(made) == {("value-lost", "Gasledning", "udnyttelsesgrad"): 1}
    assert features(made.path)[0].voids == {"vejledendeDybde": None}


def test_up_tells_what_must_be_added_and_invents_nothing(tmp_path: Path) -> None:
    older = WATER.replace('<ler:noejagtighedsklasseVertikal xsi:nil="true" nilReason="unknown"/>\n', "")
    source = saved(tmp_path, answer(older, VALVE, version=' schemaVersion="2.1.0"'))
    made = converted(source, "2.2.0")
    assert account(made) == {
        ("other-meaning", "Vandledning", "noejagtighedsklasse"): 1,
        ("to-add", "Vandledning", "noejagtighedsklasseVertikal"): 1,
    }
    told = next(t for c, t in made.conversion.account.items() if c.change is Change.TO_ADD)
    assert (told.gml_id, told.line) == ("vand.1", 5)
    assert not made.faithful
    assert "noejagtighedsklasseVertikal" not in made.path.read_text(encoding="utf-8")


def test_a_line_without_geometry_needs_no_accuracy(tmp_path: Path) -> None:
    source = saved(
        tmp_path,
        answer(GAS, version=' schemaVersion="2.1.0"').replace(
            "<ler:udnyttelsesgrad>0.5</ler:udnyttelsesgrad>\n", ""
        ),
    )
    assert converted(source, "2.2.0").faithful


def test_from_a_version_that_differs_in_nothing(tmp_path: Path) -> None:
    first = converted(saved(tmp_path, answer()), "2.0.0")
    assert converted(first.path, "2.0.1", "second.gml").faithful


def test_whose_answer_it_is_stays(tmp_path: Path) -> None:
    owner = '<gml:identifier codeSpace="CVR">12345678</gml:identifier><gml:name>A &amp; B</gml:name>'
    text = answer().replace("<ler:id>3f7", f"{owner}<ler:id>3f7")
    made = converted(saved(tmp_path, text), "2.1.0")
    assert owner in made.path.read_text(encoding="utf-8")


def test_a_file_with_faults_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    source = saved(tmp_path, answer().replace("i drift", "i fart"))
    with pytest.raises(FaultyFileError, match="1 faults"):
        converted(source, "2.1.0")
    assert [path.name for path in tmp_path.iterdir()] == ["in.gml"]


def test_an_existing_file_is_not_written_over(tmp_path: Path) -> None:
    source = saved(tmp_path, answer())
    with pytest.raises(RefusedError, match="there already"):
        converted(source, "2.1.0", "in.gml")
    assert source.read_text(encoding="utf-8") == answer()


@needs_schemas
def test_identifiers_like_those_of_geometries_do_not_meet(tmp_path: Path) -> None:
    text = answer().replace("vand.1", "geometri-2").replace("ventil.1", "_geometri-1")
    made = converted(saved(tmp_path, text), "2.2.0")
    assert schema_errors(made.path) == []
    assert 'gml:id="__geometri-1"' in made.path.read_text(encoding="utf-8")


def test_an_answer_without_members(tmp_path: Path) -> None:
    text = answer().split("<ler:ledningMember>", maxsplit=1)[0] + "</ler:Graveforespoergselssvar>"
    made = converted(saved(tmp_path, text), "2.0.0")
    assert (made.feature_count, made.faithful) == (0, True)


def test_streaming_refuses_what_it_cannot_write(tmp_path: Path) -> None:
    source = saved(tmp_path, answer())
    reader = LerGmlReader(source, coverage=COVERAGE)
    found = list(reader)
    with (tmp_path / "out.gml").open("wb") as stream:
        with pytest.raises(ValueError, match="comes after"):
            stream_answer(stream, reader.header, reversed(found), reader.model)
        with pytest.raises(IdTakenError):
            stream_answer(stream, reader.header, found, reader.model, geometry_prefix="vand.")
