"""Texts that the database keeps and only who has the folder of keys can read."""

from pathlib import Path

import pytest

from ler.errors import UnavailableError
from ler.signing import KeyFolder


def test_what_is_sealed_is_read_with_the_folder_of_keys_alone(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path / "keys")
    sealed = keys.seal("whsec_secret")
    assert "secret" not in sealed
    assert sealed != keys.seal("whsec_secret"), "that two are the same is not told"
    assert KeyFolder(tmp_path / "keys").unseal(sealed) == "whsec_secret"
    assert keys.unseal("whsec_from_before") == "whsec_from_before"
    assert (tmp_path / "keys" / "sealing-key").stat().st_mode & 0o077 == 0
    with pytest.raises(UnavailableError, match="another key"):
        KeyFolder(tmp_path / "others").unseal(sealed)
    (tmp_path / "keys" / "sealing-key").write_bytes(b"cut")
    with pytest.raises(UnavailableError, match="damaged"):
        keys.unseal(sealed)
