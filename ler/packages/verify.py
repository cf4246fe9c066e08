"""Whether a package is what a platform delivered: every file against the manifest, the manifest against its signature.

It needs the package, a public key and nothing else, and names what was changed. What it says is no more than the trust
in the key: one that somebody gave or pinned proves who made the package; the one that the package carries proves only
that nothing was damaged since somebody signed it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, Field, ValidationError

from ler.errors import RefusedError
from ler.packages.manifest import FORMAT
from ler.packages.opened import DamagedMemberError, Flaw, OpenedPackage, open_package
from ler.packages.signature import MANIFEST, SIGNATURE, Signature, public_of
from ler.signing import key_id_of

_LARGEST_MANIFEST: Final = 64 << 20
_LARGEST_SIGNATURE: Final = 4096
_LEAST_TO_UNPACK: Final = 1 << 30
_MOST_TIMES: Final = 100
"""Bytes that are unpacked of a package, at most: 1 GiB, and this many times its own size."""
_MISSING: Final = {
    MANIFEST: "it is not there: nobody can tell what was delivered",
    SIGNATURE: "it is not there: nobody signed the package",
}


class Trust(StrEnum):
    """From where the key comes by which a signature was verified."""

    GIVEN = "given"
    """By who asks."""
    PINNED = "pinned"
    """By the settings, or by the platform's own folder of keys."""
    CARRIED = "carried"
    """By the package itself."""
    NONE = "none"
    """There is no signature, or none that could be verified."""


class Listed(BaseModel):
    """A member as the manifest tells of it."""

    path: str
    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    feature_count: int


class _Signer(BaseModel):
    key_id: str
    public_key: str


class _Request(BaseModel):
    order_number: int


class Manifest(BaseModel):
    """What of a manifest is needed to verify."""

    format: str
    kind: str
    revision: int | None = None
    changed_at: str | None = None
    complete: bool
    signed_by: _Signer | None = None
    verification_code: str | None = None
    request: _Request
    members: list[Listed]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found."""

    flaws: Sequence[Flaw]
    trust: Trust
    key_id: str | None
    """Of the signature, whether it holds or not."""
    manifest: Manifest | None
    """None when it cannot be read."""

    @property
    def holds(self) -> bool:
        """Whether everything is as it was delivered."""
        return not self.flaws

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        told = self.manifest.model_dump(exclude={"signed_by", "members"}) if self.manifest else None
        wrong = {flaw.member for flaw in self.flaws}
        members = self.manifest.members if self.manifest else []
        return {
            "holds": self.holds,
            "trust": str(self.trust),
            "key_id": self.key_id,
            "package": told,
            "flaws": [
                {"code": flaw.code, "member": flaw.member, "message": flaw.message} for flaw in self.flaws
            ],
            "members": [{**one.model_dump(), "holds": one.path not in wrong} for one in members],
        }


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """The keys that are trusted, and why; none: the one that a package carries has to do."""

    keys: Sequence[Ed25519PublicKey] = ()
    trust: Trust = Trust.CARRIED


def verify_package(path: Path, trusted: TrustedKeys = TrustedKeys()) -> Verdict:
    """Verify a package's ZIP, or the folder that it was unpacked to.

    RefusedError `package-unreadable` for what is neither or is damaged so that its members are not to be found, and
    `package-too-large` for one that would be far larger than any package when it is unpacked.
    """
    opened = open_package(path)
    try:
        return _Looking(opened, trusted).verdict()
    finally:
        opened.close()


@dataclass(slots=True)
class _Looking:
    opened: OpenedPackage
    trusted: TrustedKeys
    flaws: list[Flaw] = field(default_factory=list)

    def verdict(self) -> Verdict:
        self.flaws += self.opened.flaws
        content = self._read(MANIFEST, _LARGEST_MANIFEST)
        signed = self._read(SIGNATURE, _LARGEST_SIGNATURE)
        manifest = self._manifest(content) if content is not None else None
        trust, key_id = Trust.NONE, None
        if signed is not None and content is not None:
            trust, key_id = self._signature(signed, content, manifest)
        if manifest is not None:
            self.flaws += self._members(manifest)
        return Verdict(tuple(self.flaws), trust, key_id, manifest)

    def _read(self, name: str, most_bytes: int) -> bytes | None:
        if name not in self.opened.files:
            if name not in {flaw.member for flaw in self.flaws}:
                self.flaws.append(Flaw("member-missing", name, _MISSING[name]))
            return None
        try:
            content = b"".join(self.opened.read(name, most_bytes))
        except DamagedMemberError:
            self.flaws.append(_damaged(name))
            return None
        if len(content) > most_bytes:
            self.flaws.append(Flaw("member-size", name, f"it is larger than {most_bytes} bytes"))
            return None
        return content

    def _manifest(self, content: bytes) -> Manifest | None:
        try:
            manifest = Manifest.model_validate_json(content)
        except ValidationError:
            self.flaws.append(Flaw("manifest-unreadable", MANIFEST, "it is not a manifest as we write it"))
            return None
        if manifest.format != FORMAT:
            self.flaws.append(Flaw("format-unknown", MANIFEST, f"it is {manifest.format!r}, not {FORMAT!r}"))
        return manifest

    def _signature(
        self, signed: bytes, content: bytes, manifest: Manifest | None
    ) -> tuple[Trust, str | None]:
        try:
            signature = Signature.read(signed)
        except RefusedError as error:
            self.flaws.append(
                Flaw(error.code, SIGNATURE, "it was changed: it is not a signature as we write it")
            )
            return Trust.NONE, None
        key = self._key(signature, manifest)
        if key is None:
            known = (
                ", ".join(key_id_of(one) for one in self.trusted.keys) or "the one that the package carries"
            )
            message = f"it is signed by the key {signature.key_id}; trusted is {known}"
            self.flaws.append(Flaw("key-unknown", SIGNATURE, message))
            return Trust.NONE, signature.key_id
        wrong = [*_judged(signature, key, content)]
        self.flaws += wrong
        return Trust.NONE if wrong else self.trusted.trust, signature.key_id

    def _key(self, signature: Signature, manifest: Manifest | None) -> Ed25519PublicKey | None:
        keys = self.trusted.keys
        if self.trusted.trust is Trust.CARRIED and manifest and manifest.signed_by:
            try:
                keys = [public_of(manifest.signed_by.public_key)]
            except RefusedError:
                return None
        return next((key for key in keys if key_id_of(key) == signature.key_id), None)

    def _members(self, manifest: Manifest) -> Iterator[Flaw]:
        listed = {one.path: one for one in manifest.members}
        if len(listed) < len(manifest.members) or {MANIFEST, SIGNATURE} & set(listed):
            yield Flaw("manifest-unreadable", MANIFEST, "it names a member twice, or itself")
        most = _LEAST_TO_UNPACK + _MOST_TIMES * self.opened.size_bytes
        if sum(one.size_bytes for one in listed.values()) > most:
            raise RefusedError("package-too-large", f"its members would have more than {most} bytes")
        known = self.opened.files
        told = {flaw.member for flaw in self.opened.flaws}
        for name, one in listed.items():
            if name in known:
                yield from self._member(one)
            elif name not in told:
                yield Flaw("member-missing", name, "it is not there")
        for name in known:
            if name not in listed and name not in {MANIFEST, SIGNATURE}:
                yield Flaw("member-extra", name, "the manifest does not name it: it was not delivered")

    def _member(self, listed: Listed) -> Iterator[Flaw]:
        digest, size = sha256(), 0
        try:
            for part in self.opened.read(listed.path, listed.size_bytes):
                digest.update(part)
                size += len(part)
        except DamagedMemberError:
            yield _damaged(listed.path)
            return
        if size != listed.size_bytes:
            words = "larger" if size > listed.size_bytes else "smaller"
            yield Flaw(
                "member-size", listed.path, f"it is {words} than the {listed.size_bytes} bytes delivered"
            )
        elif digest.hexdigest() != listed.sha256:
            yield Flaw("member-changed", listed.path, "its bytes are not those that were delivered")


def _judged(signature: Signature, key: Ed25519PublicKey, content: bytes) -> Iterator[Flaw]:
    """Which of the two files was changed: the second part of the signature does not depend on the manifest."""
    if not signature.is_whole(key):
        yield Flaw("signature-wrong", SIGNATURE, "it was changed, or made by another key than it says")
    elif not signature.holds(key, content):
        yield Flaw("manifest-changed", MANIFEST, "it is not the manifest that was signed")


def _damaged(name: str) -> Flaw:
    return Flaw("member-damaged", name, "it cannot be unpacked: its bytes are not those that were delivered")
