"""LER GML out: what is written reads back the same and is valid by the official schema."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from ler.model import Feature
from ler.packages.gml import Answer, write_answer
from tests.answers import WATER, answer, read
from tests.official import SAMPLES, needs_samples, needs_schemas, schema_errors


def written(folder: Path, made: Answer, name: str = "out.gml") -> Path:
    path = folder / name
    with path.open("wb") as stream:
        write_answer(stream, made)
    return path


def load(path: Path) -> Answer:
    features, made = read(path)
    assert made.readable
    return Answer("12345678", "Nordby & Søn", made.header, features)


def sample(folder: Path) -> Answer:
    path = folder / "in.gml"
    path.write_text(answer(), encoding="utf-8")
    return load(path)


def same_geometry(one: BaseGeometry | None, other: BaseGeometry | None) -> bool:
    if one is None or other is None:
        return one is other
    before, after = (shapely.get_coordinates(g, include_z=True) for g in (one, other))
    alike = np.allclose(before, after, rtol=0, atol=1e-4, equal_nan=True)  # 0.1 mm
    return one.geom_type == other.geom_type and alike


def assert_same(one: Feature, other: Feature) -> None:
    assert (one.type, one.gml_id, one.attributes, one.voids) == (
        other.type,
        other.gml_id,
        other.attributes,
        other.voids,
    )
    assert same_geometry(one.geometry, other.geometry)


@needs_samples
@needs_schemas
def test_the_sample_reads_back_the_same_and_is_officially_valid(tmp_path: Path) -> None:
    before = load(SAMPLES / "answer_all_types_2.2.0.gml")
    path = written(tmp_path, before)
    assert schema_errors(path) == []
    after = load(path)
    assert before.header.attributes == after.header.attributes
    for one, other in zip(before.features, after.features, strict=True):
        assert_same(one, other)


def test_the_same_answer_gives_the_same_bytes(tmp_path: Path) -> None:
    made = sample(tmp_path)
    one, other = io.BytesIO(), io.BytesIO()
    write_answer(one, made)
    write_answer(other, made)
    assert one.getvalue() == other.getvalue()


@needs_schemas
def test_a_line_cut_in_pieces_is_written_piece_by_piece_without_inventing_a_line(tmp_path: Path) -> None:
    made = sample(tmp_path)
    water, valve = made.features
    water.geometry = shapely.MultiLineString(
        [[(575000, 6224000, 1), (575001, 6224000, 1)], [(575005, 6224000, 2), (575006, 6224000, 2)]]
    )
    water.attributes["kontaktprofilTilTekniskeSpoergsmaal"] = {
        "gml_id": "k1",
        "navn": "Vagt",
        "telefonnummer": "1",
    }
    valve.attributes["tilknyttetLedning"] = ["vand.1"]
    taken = replace(valve, gml_id="vand.1_2", attributes={"type": "ventil"})
    path = written(tmp_path, replace(made, features=[water, valve, taken]))
    assert schema_errors(path) == []
    features, reader = read(path)
    assert reader.readable
    first, second, *_ = features
    assert (first.gml_id, second.gml_id) == ("vand.1", "vand.1_3")
    assert first.attributes["id"] == second.attributes["id"]
    assert first.geometry is not None
    assert second.geometry is not None
    assert first.geometry.length + second.geometry.length == 2
    assert next(f for f in features if f.gml_id == "ventil.1").attributes["tilknyttetLedning"] == [
        "vand.1",
        "vand.1_3",
    ]


def test_unknown_heights_and_levels_are_written_as_the_model_wants(tmp_path: Path) -> None:
    text = written(tmp_path, sample(tmp_path)).read_text(encoding="utf-8")
    assert "575010 6224000 -99 575020 6224005 2" in text
    assert 'srsDimension="1">-99</ler:topkote>' in text


@pytest.mark.parametrize("name", ["A & B <C>", 'D "E"'])
def test_names_are_escaped(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, replace(sample(tmp_path), owner_name=name))
    features, reader = read(path)
    assert len(features) == 2
    assert reader.findings.kept == []
    assert reader.stated_owner == "12345678"


def test_a_feature_named_like_our_geometries_does_not_clash(tmp_path: Path) -> None:
    path = tmp_path / "in.gml"
    path.write_text(
        answer(WATER.replace("vand.1", "geometri-1").replace("#ventil.1", "#geometri-1")), encoding="utf-8"
    )
    text = written(tmp_path, load(path)).read_text(encoding="utf-8")
    assert text.count('gml:id="geometri-1"') == 1
