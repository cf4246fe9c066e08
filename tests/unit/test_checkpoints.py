"""Signed checkpoints: what was signed is read again, and every change of the folder is seen."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ler.checkpoints import CheckpointFolder
from ler.domain.audit import Head
from ler.errors import RefusedError, UnavailableError
from ler.signing import public_pem, read_public_key

NOW = datetime(2026, 11, 24, 12, 0, 0, 1, tzinfo=UTC)


def head(number: int) -> Head:
    return Head(number, sha256(str(number).encode()).digest())


@pytest.fixture
def folder(tmp_path: Path) -> CheckpointFolder:
    made = CheckpointFolder(tmp_path / "deep" / "audit")
    for hours, number in enumerate((3, 7, 12)):
        assert made.add(head(number), NOW + timedelta(hours=hours))
    return made


def test_checkpoints_are_read_again_in_order(folder: CheckpointFolder) -> None:
    found = folder.verified()
    assert [one.head for one in found] == [head(3), head(7), head(12)]
    assert [one.previous for one in found] == [None, found[0].digest, found[1].digest]
    assert found[0].at == NOW
    assert folder.last() == found[2]
    assert folder.verified([folder.signing_key.public]) == found


def test_a_head_is_signed_once_and_an_empty_chain_never(folder: CheckpointFolder, tmp_path: Path) -> None:
    assert folder.add(head(12), NOW) is None
    assert folder.add(head(5), NOW) is None
    empty = CheckpointFolder(tmp_path / "empty")
    assert empty.add(Head(), NOW) is None
    assert empty.last() is None
    assert empty.verified() == []


def test_the_key_is_for_its_user_alone_and_stays(folder: CheckpointFolder) -> None:
    path = folder.folder / "signing-key.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    assert public_pem(folder.signing_key.public) == public_pem(folder.signing_key.public)


def test_two_that_make_the_key_and_sign_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda number: CheckpointFolder(tmp_path / "audit").add(head(number), NOW), range(1, 40))
        )
    assert len({one.key_id for one in made if one}) == 1
    found = CheckpointFolder(tmp_path / "audit").verified()
    assert found[-1].head == head(39)


@pytest.mark.parametrize(("name", "value"), [("number", 8), ("hash", "00" * 32), ("at", "2026-01-01T00:00:00Z"), ("previous", None), ("signature", "AAAA"), ("key", "0" * 16)])  # fmt: skip
def test_a_changed_checkpoint_is_named(folder: CheckpointFolder, name: str, value: object) -> None:
    path = folder.folder / "checkpoint-000000000007.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    with pytest.raises(RefusedError, match=path.name) as caught:
        folder.verified()
    assert caught.value.code == "checkpoint-invalid"


def test_a_checkpoint_that_was_taken_away_is_seen(folder: CheckpointFolder) -> None:
    (folder.folder / "checkpoint-000000000007.json").unlink()
    with pytest.raises(RefusedError, match=r"000012.*before it"):
        folder.verified()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"number": "x"}'])
def test_a_file_that_is_no_checkpoint_is_named(folder: CheckpointFolder, text: str) -> None:
    (folder.folder / "checkpoint-000000000007.json").write_text(text)
    with pytest.raises(RefusedError, match=r"000007.*not a checkpoint"):
        folder.verified()


def test_a_forger_with_a_key_of_its_own_is_seen_by_who_knows_the_right_one(
    folder: CheckpointFolder, tmp_path: Path
) -> None:
    right = folder.signing_key.public
    forged = CheckpointFolder(tmp_path / "forged")
    forged.add(head(12), NOW)
    assert forged.verified()
    with pytest.raises(RefusedError, match="not trusted"):
        forged.verified([right])


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    public = tmp_path / "key.pem"
    public.write_text("nothing")
    with pytest.raises(RefusedError, match="no public Ed25519 key"):
        read_public_key(public)
    public.write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
    read_public_key(public)
    audit = tmp_path / "audit"
    audit.mkdir()
    (audit / "signing-key.pem").write_text("nothing")
    with pytest.raises(UnavailableError, match="no private key"):
        CheckpointFolder(audit).add(head(1), NOW)
