"""The two cookies: of a session, and of a login on its way. Behind https their names keep other hosts from setting them."""

from typing import Final

from starlette.responses import Response

from geoapi.platform import Platform

LOGIN_PATH: Final = "/login"
_SESSION: Final = "ler_session"
_LOGIN: Final = "ler_login"


def session_cookie(platform: Platform) -> str:
    """Return the name of the session's cookie."""
    return f"__Host-{_SESSION}" if platform.secure else _SESSION


def login_cookie(platform: Platform) -> str:
    """Return the name of the cookie that a browser keeps between leaving for the issuer and coming back."""
    return f"__Secure-{_LOGIN}" if platform.secure else _LOGIN


def set_cookie(answer: Response, platform: Platform, name: str, value: str, *, seconds: int) -> None:
    """Set one of them: out of reach of scripts, and not sent along when another site's page makes a call of its own."""
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=_path(platform, name),
        httponly=True,
        secure=platform.secure,
        samesite="lax",
    )


def take_cookie(answer: Response, platform: Platform, name: str) -> None:
    """Take one of them away."""
    answer.delete_cookie(
        name, path=_path(platform, name), httponly=True, secure=platform.secure, samesite="lax"
    )


def _path(platform: Platform, name: str) -> str:
    return LOGIN_PATH if name == login_cookie(platform) else "/"
