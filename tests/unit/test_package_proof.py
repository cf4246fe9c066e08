"""The signature of packages, by Debian's minisign as well; every change of a package is found and named."""

import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from shapely import box
from typer.testing import CliRunner

from geoapi.cli import app
from ler.domain.states import OwnerState
from ler.errors import RefusedError
from ler.model import ANSWER, Feature
from ler.packages.content import (
    DELIVERED,
    AreaStatus,
    DeliveredAttachment,
    Delivery,
    OwnerStatus,
    RequestInfo,
)
from ler.packages.contents import Contents, PackageOptions
from ler.packages.manifest import hash_of
from ler.packages.package import Package, write_consolidated_package, write_owner_package
from ler.packages.signature import (
    MANIFEST,
    SIGNATURE,
    Signature,
    public_file,
    public_line,
    public_of,
    read_public,
)
from ler.packages.verification import grouped, read_code, verification_code, verification_url
from ler.packages.verify import Trust, TrustedKeys, Verdict, verify_package
from ler.signing import KeyFolder, SigningKey, public_pem
from tests.world import water_pipe

MOMENT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REQUEST = RequestInfo(
    id=UUID(int=7),
    order_number=31,
    area=box(575000, 6224000, 575100, 6224100),
    clip_buffer_m=0.0,
    period_from=date(2026, 12, 1),
    period_to=date(2026, 12, 14),
    purpose="Fjernvarme til nr. 12",
    description=None,
    created_at=MOMENT,
    revision=3,
    changed_at=datetime(2026, 11, 25, 8, 30, tzinfo=UTC),
)


def owner(folder: Path) -> OwnerStatus:
    attachment = folder / "plan.txt"
    attachment.write_bytes(b"Ring, before you dig.\n")
    digest = sha256(attachment.read_bytes()).hexdigest()
    sent = DeliveredAttachment("planer/plan.txt", attachment, digest, 22, "andet", "text/plain")
    delivery = Delivery(
        UUID(int=9),
        DELIVERED,
        4,
        MOMENT,
        "0" * 64,
        Feature(ANSWER, "svar", {}),
        [water_pipe("p1", (575010, 6224010, 1), (575090, 6224020, 1.5))],
        interest_areas=(1,),
        attachments=(sent,),
    )
    areas = (AreaStatus(1, OwnerState.ANSWERED, MOMENT),)
    return OwnerStatus(UUID(int=8), "30000001", "Nordby Vand", None, None, (1,), (delivery,), areas)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    return KeyFolder(tmp_path_factory.mktemp("home") / "keys")


@pytest.fixture(scope="module")
def options(keys: KeyFolder) -> PackageOptions:
    return PackageOptions(
        "https://ler.example", signer=keys.signing_key, verification_secret=keys.verification_secret
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, options: PackageOptions) -> Package:
    folder = tmp_path_factory.mktemp("package")
    return write_consolidated_package(folder, REQUEST, [owner(folder)], options)


@pytest.fixture(scope="module")
def members(package: Package) -> dict[str, bytes]:
    with zipfile.ZipFile(package.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def given(keys: KeyFolder) -> TrustedKeys:
    return TrustedKeys([keys.signing_key.public], Trust.GIVEN)


def zipped(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def flipped(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


def holds(path: Path, given: TrustedKeys) -> bool:
    try:
        return verify_package(path, given).holds
    except RefusedError:
        return False


def found(verdict: Verdict) -> set[tuple[str, str | None]]:
    return {(flaw.code, flaw.member) for flaw in verdict.flaws}


def test_a_package_as_delivered_holds_as_zip_and_as_folder(
    package: Package, keys: KeyFolder, given: TrustedKeys, tmp_path: Path
) -> None:
    for path in (package.path, tmp_path / "unpacked"):
        if path != package.path:
            zipfile.ZipFile(package.path).extractall(path)
        verdict = verify_package(path, given)
        assert (verdict.holds, verdict.trust, verdict.key_id) == (True, Trust.GIVEN, keys.signing_key.key_id)
    assert verify_package(package.path).trust is Trust.CARRIED


def test_minisign_verifies_the_manifest(package: Package, keys: KeyFolder, tmp_path: Path) -> None:
    zipfile.ZipFile(package.path).extractall(tmp_path)
    program = ["minisign", "-V", "-m", str(tmp_path / MANIFEST)]
    by_line = [*program, "-P", public_line(keys.signing_key.public)]
    done = subprocess.run(by_line, capture_output=True, text=True, check=True)
    assert f"timestamp:{int(REQUEST.changed_at.timestamp()) if REQUEST.changed_at else 0}\t" in done.stdout
    (tmp_path / "ler.pub").write_text(public_file(keys.signing_key.public))
    subprocess.run([*program, "-p", str(tmp_path / "ler.pub")], capture_output=True, check=True)
    (tmp_path / MANIFEST).write_bytes((tmp_path / MANIFEST).read_bytes() + b" ")
    assert subprocess.run(by_line, capture_output=True, check=False).returncode == 1


def test_a_signature_is_read_again_and_the_same_each_time(keys: KeyFolder) -> None:
    key = keys.signing_key
    signature = Signature.make(key, b"text", MOMENT, "a.txt")
    assert Signature.read(signature.content) == signature
    assert Signature.make(key, b"text", MOMENT, "a.txt").content == signature.content
    assert public_of(public_line(key.public)) == key.public


def test_one_byte_of_any_file_is_found_and_named(
    members: dict[str, bytes], given: TrustedKeys, tmp_path: Path
) -> None:
    for name, content in members.items():
        places = range(0, len(content), 3) if name == SIGNATURE else (0, len(content) // 2, len(content) - 1)
        for place in places:
            changed = members | {name: flipped(content, place)}
            verdict = verify_package(zipped(tmp_path / "changed.zip", *changed.items()), given)
            named = {member for _, member in found(verdict)}
            # A manifest may tell something else of another file now, which is said as well.
            assert named == {name} if name != MANIFEST else name in named, (name, place)


def test_one_byte_of_the_zip_is_found_or_changes_no_file(
    package: Package, members: dict[str, bytes], given: TrustedKeys, tmp_path: Path
) -> None:
    whole, path = package.path.read_bytes(), tmp_path / "changed.zip"
    for place in (*range(0, len(whole), len(whole) // 80), *range(len(whole) - 400, len(whole), 7)):
        path.write_bytes(flipped(whole, place))
        if holds(path, given):
            with zipfile.ZipFile(path) as archive:
                assert {name: archive.read(name) for name in archive.namelist()} == members, place


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (lambda m: [one for one in m if one[0] != "Laes_mig.txt"], ("member-missing", "Laes_mig.txt")),
        (lambda m: [one for one in m if one[0] != SIGNATURE], ("member-missing", SIGNATURE)),
        (lambda m: [one for one in m if one[0] != MANIFEST], ("member-missing", MANIFEST)),
        (lambda m: [*m, ("note.txt", b"dig")], ("member-extra", "note.txt")),
        (lambda m: [*m, ("LAES_MIG.txt", b"dig")], ("member-twice", "LAES_MIG.txt")),
        (lambda m: [*m, ("../evil", b"dig")], ("member-name", "../evil")),
        (lambda m: [*m, ("/evil", b"dig")], ("member-name", "/evil")),
        (lambda m: [*m, ("a\\..\\evil", b"dig")], ("member-name", "a\\..\\evil")),
        (
            lambda m: [(n, c + b"\n" if n == "Laes_mig.txt" else c) for n, c in m],
            ("member-size", "Laes_mig.txt"),
        ),
        (
            lambda m: [(n, c[:-1] if n == "Laes_mig.txt" else c) for n, c in m],
            ("member-size", "Laes_mig.txt"),
        ),
        (lambda m: [(n, c * 300 if n == SIGNATURE else c) for n, c in m], ("member-size", SIGNATURE)),
        (lambda m: [(n, b"{}" if n == MANIFEST else c) for n, c in m], ("manifest-unreadable", MANIFEST)),
        (
            lambda m: [(n, b"[" * 10**6 if n == MANIFEST else c) for n, c in m],
            ("manifest-unreadable", MANIFEST),
        ),
    ],
)
def test_what_is_missing_added_or_named_oddly_is_found(
    members: dict[str, bytes],
    given: TrustedKeys,
    tmp_path: Path,
    change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]],
    flaw: tuple[str, str],
) -> None:
    verdict = verify_package(zipped(tmp_path / "changed.zip", *change([*members.items()])), given)
    assert flaw in found(verdict)


def test_two_members_of_one_name_and_hidden_bytes_are_found(
    package: Package, members: dict[str, bytes], given: TrustedKeys, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped(tmp_path / "twice.zip", *members.items(), ("Laes_mig.txt", b"dig"))
    assert ("member-twice", "Laes_mig.txt") in found(verify_package(twice, given))
    hiding = tmp_path / "hiding.zip"
    hiding.write_bytes(b"#!/bin/sh\n" + package.path.read_bytes())
    assert ("archive-hides", None) in found(verify_package(hiding, given))
    # A member that only a program sees which reads from the beginning.
    whole = package.path.read_bytes()
    hidden = io.BytesIO()
    with zipfile.ZipFile(hidden, "w") as archive:
        archive.writestr("hidden.txt", b"dig")
        end = archive.start_dir
    hiding.write_bytes(hidden.getvalue()[:end] + whole)
    assert ("archive-hides", None) in found(verify_package(hiding, given))


def test_a_folder_with_a_link_or_another_file_is_found(
    members: dict[str, bytes], given: TrustedKeys, tmp_path: Path
) -> None:
    for name, content in members.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "Laes_mig.txt").rename(tmp_path / "elsewhere")
    (tmp_path / "Laes_mig.txt").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder").symlink_to(tmp_path)
    assert found(verify_package(tmp_path, given)) == {
        ("member-kind", "Laes_mig.txt"),
        ("member-kind", "folder"),
        ("member-extra", "elsewhere"),
    }


def test_a_bomb_is_not_unpacked(members: dict[str, bytes], given: TrustedKeys, tmp_path: Path) -> None:
    """A member that unpacks to 50 MB is read no further than it is long by the manifest."""
    bomb = members | {"Laes_mig.txt": bytes(50 << 20)}
    path = zipped(tmp_path / "bomb.zip", *bomb.items(), method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    assert ("member-size", "Laes_mig.txt") in found(verify_package(path, given))
    manifest = json.loads(members[MANIFEST])
    manifest["members"][0]["size_bytes"] = 1 << 40
    path = zipped(path, *(members | {MANIFEST: json.dumps(manifest).encode()}).items())
    with pytest.raises(RefusedError, match="more than"):
        verify_package(path, given)


def test_another_key_is_told_from_the_one_trusted(
    package: Package, given: TrustedKeys, tmp_path: Path
) -> None:
    other = KeyFolder(tmp_path / "keys").signing_key
    wrong = verify_package(package.path, TrustedKeys([other.public], Trust.GIVEN))
    assert (found(wrong), wrong.trust) == ({("key-unknown", SIGNATURE)}, Trust.NONE)
    # Signed again by somebody else, who says so: whole for who trusts what it carries, and for nobody else.
    forged = write_consolidated_package(
        tmp_path, replace(REQUEST, purpose="x"), [owner(tmp_path)], PackageOptions(signer=other)
    )
    assert verify_package(forged.path).trust is Trust.CARRIED
    assert found(verify_package(forged.path, given)) == {("key-unknown", SIGNATURE)}


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no package")
    with pytest.raises(RefusedError, match="no ZIP"):
        verify_package(tmp_path / "text.zip")
    unsigned = write_owner_package(tmp_path, REQUEST, owner(tmp_path))
    assert unsigned.manifest["signed_by"] is None
    assert found(verify_package(unsigned.path)) == {("member-missing", SIGNATURE)}


def test_the_same_content_signed_by_the_same_key_has_the_same_bytes(
    package: Package, keys: KeyFolder, options: PackageOptions, tmp_path: Path
) -> None:
    again = replace(options, signer=SigningKey.read((keys.folder / "signing-key.pem").read_bytes(), tmp_path))
    made = write_consolidated_package(tmp_path / "a", REQUEST, [owner(tmp_path)], again)
    assert made.sha256 == package.sha256


def test_a_rotated_key_leaves_its_public_key_and_the_codes(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    old, secret = folder.signing_key, folder.verification_secret
    new = folder.rotate()
    assert new.key_id != old.key_id
    assert folder.signing_key.key_id == new.key_id
    assert {public_pem(key) for key in folder.public_keys()} == {
        public_pem(old.public),
        public_pem(new.public),
    }
    assert folder.verification_secret == secret
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.folder.iterdir() if path.suffix != ".pem")


def test_the_code_is_the_requests_and_the_revisions_and_nobody_guesses_it(options: PackageOptions) -> None:
    contents = Contents(REQUEST, [], options=options)
    code = verification_code(contents)
    assert code is not None
    assert verification_url(contents) == f"https://ler.example/verify/{code}"
    others = (
        replace(contents, request=replace(REQUEST, revision=4)),
        replace(contents, request=replace(REQUEST, id=UUID(int=8))),
        replace(contents, options=replace(options, verification_secret=bytes(32))),
    )
    assert len({code, *(verification_code(one) for one in others)}) == 4
    assert verification_code(replace(contents, owner_id=UUID(int=8))) is None
    assert verification_url(replace(contents, options=replace(options, public_url=None))) is None
    assert read_code(f" {grouped(code).lower()}\n") == code
    assert [read_code(wrong) for wrong in ("", code[1:], f"{code[1:]}1", "é" * 24)] == [None] * 4


def test_the_manifest_tells_who_signed_and_the_request_in_a_hash(package: Package, keys: KeyFolder) -> None:
    manifest = package.manifest
    assert manifest["signed_by"]["key_id"] == keys.signing_key.key_id
    assert manifest["request_sha256"] == hash_of(manifest["request"])
    assert SIGNATURE not in {one["path"] for one in manifest["members"]}


def test_the_command_tells_what_holds_and_by_which_trust(
    package: Package,
    members: dict[str, bytes],
    keys: KeyFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LER_KEY_DIR", str(tmp_path / "none"))
    line, runner = public_line(keys.signing_key.public), CliRunner()
    (tmp_path / "ler.pub").write_text(public_file(keys.signing_key.public))
    for key in ([], ["--key", line], ["--key", "ler.pub"]):
        done = runner.invoke(app, ["package", "verify", str(package.path), "--json", *key])
        told = json.loads(done.stdout)
        assert (done.exit_code, told["holds"], told["trust"]) == (0, True, "given" if key else "carried")
    monkeypatch.setenv("LER_PACKAGE_KEYS", json.dumps([line]))
    done = runner.invoke(app, ["package", "verify", str(package.path)])
    assert done.exit_code == 0
    assert "which the settings trust" in done.stderr
    changed = zipped(tmp_path / "changed.zip", *(members | {"Laes_mig.txt": b"dig"}).items())
    done = runner.invoke(app, ["package", "verify", str(changed)])
    assert done.exit_code == 1
    assert "WRONG Laes_mig.txt" in done.stdout
    assert "Signed by" in done.stderr
    forged = zipped(
        tmp_path / "forged.zip", *(members | {"manifest.json": members["manifest.json"] + b" "}).items()
    )
    done = runner.invoke(app, ["package", "verify", str(forged)])
    assert done.exit_code == 1
    assert "Signed by" not in done.stderr
    assert runner.invoke(app, ["package", "verify", str(tmp_path / "ler.pub")]).exit_code == 2
    assert runner.invoke(app, ["package", "verify", str(package.path), "--key", "x"]).exit_code == 2
    shown = runner.invoke(app, ["package", "key"])
    assert read_public(str(tmp_path / "ler.pub")) != public_of(shown.stdout.splitlines()[1])
