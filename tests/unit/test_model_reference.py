"""The reference page is what the model says, and its links lead somewhere."""

import re
from pathlib import Path

from ler.model import load_model
from ler.model.reference import model_reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "model.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == model_reference(), (
        "python -m ler.model.reference > docs/reference/model.md"
    )


def test_its_links_lead_somewhere() -> None:
    text = model_reference()
    headings = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\(#([^)]+)\)", text)) <= headings
    assert len(headings) == len([line for line in text.splitlines() if line.startswith("#")])


def test_every_type_and_code_stands_in_it() -> None:
    text = model_reference()
    model = load_model()
    for code_list in model.code_lists.values():
        for code, label in code_list.values.items():
            assert f"| `{code}` | {label} |" in text
    for name in model.types:
        assert f"### {name}\n" in text


def test_differences_between_versions_are_told() -> None:
    told = dict(re.findall(r"^- \*\*(.*?)\*\*: (.*)$", model_reference(), re.MULTILINE))
    assert told["2.0.0 to 2.0.1"] == "no difference in types and attributes."
    assert "`medietype` of Gasledning is new" in told["2.0.1 to 2.1.0"]
    assert "`noejagtighedsklasse` of LedningEllerLedningstrace" in told["2.1.0 to 2.2.0"]
