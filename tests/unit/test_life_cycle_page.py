"""The page of the life cycle is what the code says now."""

import re
from pathlib import Path

from ler.domain.answers import AnswerType
from ler.domain.life_cycle_page import page
from ler.domain.states import OwnerEvent, OwnerState, RequestEvent, RequestState

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "life-cycle.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page() + "\n"


def test_it_names_every_state_event_and_answer_and_says_what_each_state_means() -> None:
    text = page()
    for names in (RequestState, RequestEvent, OwnerState, OwnerEvent, AnswerType):
        for name in names:
            assert name.value in text
    assert text.count("```mermaid") == 2
    assert not re.search(r"^\| `[^`]+` \|\s*\|$", text, re.MULTILINE)
