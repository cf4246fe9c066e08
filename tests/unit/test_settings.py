import re
from pathlib import Path

import pytest

from ler.settings import Settings

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"
SETTING = re.compile(r"^# (LER_[A-Z0-9_]+)=(.*)$", re.MULTILINE)
SHOWN = dict(SETTING.findall(EXAMPLE.read_text(encoding="utf-8")))


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # away from a developer's own .env
    for name in SHOWN:
        monkeypatch.delenv(name, raising=False)


def test_the_example_shows_every_setting_and_no_other() -> None:
    assert set(SHOWN) == {f"LER_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("name", [name for name, value in SHOWN.items() if value])
def test_the_example_shows_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, SHOWN[name])
    field = name.removeprefix("LER_").lower()
    assert getattr(Settings(), field) == Settings.model_fields[field].get_default(call_default_factory=True)


@pytest.mark.parametrize("name", [name for name, value in SHOWN.items() if not value])
def test_a_setting_without_value_in_the_example_has_no_fixed_default(name: str) -> None:
    field = Settings.model_fields[name.removeprefix("LER_").lower()]
    assert field.default is None or field.default_factory is not None


def test_each_setting_in_the_example_is_told_in_one_sentence() -> None:
    blocks = EXAMPLE.read_text(encoding="utf-8").strip().split("\n\n")[1:]
    assert len(blocks) == len(SHOWN)
    for block in blocks:
        sentence, setting = block.splitlines()
        assert SETTING.fullmatch(setting)
        assert re.fullmatch(r"# [A-Z].*[^.]\.", sentence)
