"""What a program signs to prove who it is (`private_key_jwt`, RFC 7523), and the public keys it registers.

Read as strictly as the profile for financial services (FAPI 2.0) has it: one audience, signatures by private keys only,
a short life, and a name of its own (`jti`) that is good once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey, import_key

from ler.errors import RefusedError

ALGORITHMS: Final = ("ES256", "ES384", "PS256", "RS256", "Ed25519")
LEEWAY: Final = timedelta(seconds=60)
"""How far the clocks of a program and of ours may differ."""
LONGEST_LIFE: Final = timedelta(hours=1)
"""What libraries give an assertion when they are not told; each is good once, and remembered for so long."""

_CURVES: Final = ("P-256", "P-384", "Ed25519")
_RSA_BITS: Final = (2048, 8192)
_LONGEST_JTI: Final = 255
_LONGEST: Final = 8192
_LARGEST_MOMENT: Final = 1 << 40
_LONGEST_KID: Final = 100


class AssertionRefusedError(RefusedError):
    """The assertion proves nothing."""

    def __init__(self, reason: str) -> None:
        # One text for all, as for tokens.
        super().__init__("client-invalid", "The client is unknown or its assertion is not valid.")
        self.reason = reason
        """For the audit trail; the caller is not told."""
        self.organisation_id: UUID | None = None
        """Whose client it says to be, when there is one."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that was signed by its client, for us, now. Whether it was used before is not known yet."""

    client_id: UUID
    jti: str
    expires_at: datetime
    """Aware UTC, without leeway."""
    kid: str


def claimed_client(assertion: str) -> UUID:
    """Return the client that an assertion says it is of, to find its keys by; nothing is proved by that."""
    if len(assertion) > _LONGEST:
        raise AssertionRefusedError("too-long")
    try:
        payload = jws.extract_compact(assertion.encode()).payload
        claims = json.loads(payload)
        return UUID(claims["sub"])
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise AssertionRefusedError("unreadable") from None


def read_assertion(
    assertion: str, keys: Mapping[str, Mapping[str, Any]], *, audiences: Sequence[str], now: datetime
) -> Assertion:
    """Return what a client's assertion says; AssertionRefusedError for anything that is wrong with it.

    `keys` are the client's public keys (JWK) by their `kid`. `audiences` are our names, of which it must have exactly
    one; `now` is aware.
    """
    try:
        key_set = KeySet([import_key(dict(key), parameters={"kid": kid}) for kid, key in keys.items()])
        token = jwt.decode(assertion, key_set, algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError) as error:
        raise AssertionRefusedError(f"signature: {type(error).__name__}") from error
    claims, kid = token.claims, token.header.get("kid")
    if not isinstance(kid, str) or kid not in keys:
        raise AssertionRefusedError("kid")
    client = claims.get("sub")
    if not isinstance(client, str) or claims.get("iss") != client:
        raise AssertionRefusedError("issuer")
    _check_audience(claims.get("aud"), audiences)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI or "\x00" in jti:
        raise AssertionRefusedError("jti")
    return Assertion(UUID(client), jti, _check_times(claims, now), kid)


def check_public_key(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public part of a key (JWK) that a client may sign with.

    RefusedError `key-invalid` for what is no key, a private or symmetric one, a curve that is not P-256, P-384 or
    Ed25519, and RSA of less than 2048 or more than 8192 bits.
    """
    if "d" in key or "k" in key or "p" in key:
        raise RefusedError("key-invalid", "this key is secret; make a new one and send its public part only")
    try:
        read = import_key(dict(key))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise RefusedError("key-invalid", "this is no public key in the form of a JWK (RFC 7517)") from error
    public = read.as_dict(private=False)
    match read:
        case RSAKey():
            if not _RSA_BITS[0] <= read.public_key.key_size <= _RSA_BITS[1]:
                raise RefusedError("key-invalid", f"an RSA key has {_RSA_BITS[0]} to {_RSA_BITS[1]} bits")
        case ECKey() | OKPKey():
            if public.get("crv") not in _CURVES:
                raise RefusedError("key-invalid", f"the curve is one of {', '.join(_CURVES)}")
        case _:
            raise RefusedError("key-invalid", "the key is RSA, or lies on one of the curves that are taken")
    kid = public.get("kid") or read.thumbprint()
    if not isinstance(kid, str) or len(kid) > _LONGEST_KID or not kid.isprintable():
        raise RefusedError("key-invalid", f"a kid is 1 to {_LONGEST_KID} printable characters")
    members = {"kty", "crv", "x", "y", "n", "e"}
    return {name: value for name, value in public.items() if name in members} | {"kid": kid}


def _check_audience(audience: object, audiences: Sequence[str]) -> None:
    """One audience, which is us: what is addressed to several could be played on by one of the others."""
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or audience not in audiences:
        raise AssertionRefusedError("audience")


def _check_times(claims: Mapping[str, Any], now: datetime) -> datetime:
    expires_at = _moment(claims.get("exp"))
    if expires_at is None or expires_at <= now - LEEWAY:
        raise AssertionRefusedError("expired")
    if expires_at > now + LONGEST_LIFE + LEEWAY:
        raise AssertionRefusedError("lives too long")
    for name in ("iat", "nbf"):
        if name in claims:
            moment = _moment(claims[name])
            if moment is None or moment > now + LEEWAY:
                raise AssertionRefusedError("not yet valid")
    return expires_at


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LARGEST_MOMENT:
        return None
    return datetime.fromtimestamp(value, UTC)
