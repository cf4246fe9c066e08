"""Commands about programs with keys, how much may be asked for, and where notices go."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR, audit_event
from ler.errors import NotFoundError, RefusedError
from ler.services.limits import AskingLimit, list_limits, remove_limit, set_limit
from tests.integration.test_register_command import OWNER, Ler, ler, world
from tests.world import World

__all__ = ["ler", "world"]


def a_key(folder: Path, kid: str, *, private: bool = False) -> str:
    path = folder / f"{kid}.json"
    path.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=private) | {"kid": kid}))
    return str(path)


def audited(world: World) -> list[str]:
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        return [*connection.execute(select(audit_event.c.action).order_by(audit_event.c.id)).scalars()]


def programs(ler: Ler) -> dict[str, Any]:
    return {
        one["id"]: (one["keys"], one["scopes"], one["ended"]) for one in ler.json("client", "list", OWNER)
    }


def test_a_program_is_registered_given_keys_and_ended(ler: Ler, world: World, tmp_path: Path) -> None:
    first, second = a_key(tmp_path, "first"), a_key(tmp_path, "second")
    made = ler("client", "add", OWNER, "Poll", first, "--scope", "answer:read", "--scope", "answer:write")
    assert programs(ler) == {made: (["first"], ["answer:read", "answer:write"], None)}
    ler("client", "add-key", OWNER, made, second)
    assert "second" in ler.refused("client", "add-key", OWNER, made, second)
    ler("client", "end-key", OWNER, made, "first")
    assert programs(ler)[made][0] == ["second"]
    everything = ler("client", "add", OWNER, "All", first)
    assert "audit:read" in programs(ler)[everything][1]
    ler("client", "end", OWNER, made)
    assert programs(ler)[made][2] is not None
    ler.refused("client", "end", OWNER, made)
    assert [one for one in audited(world) if one.startswith("auth:client:")] == [
        *("auth:client:add", "auth:client:add", "auth:client:revoke"),
    ]


def test_keys_that_are_none_and_rights_that_one_has_not(ler: Ler, tmp_path: Path) -> None:
    assert "secret" in ler.refused("client", "add", OWNER, "x", a_key(tmp_path, "k", private=True))
    (tmp_path / "list.json").write_text("[]")
    for name in ("list.json", "no-such-file"):
        assert "JWK" in ler.refused("client", "add", OWNER, "x", str(tmp_path / name))
    public = a_key(tmp_path, "public")
    assert "request:write" in ler.refused("client", "add", OWNER, "x", public, "--scope", "request:write")
    assert programs(ler) == {}


def test_limits_are_set_for_one_and_for_all(ler: Ler, world: World) -> None:
    def limits() -> dict[str, tuple[int | None, float | None, float | None]]:
        return {
            "all" if one["organisation"] == "all" else "one": (
                one["requests_a_day"], one["km2_a_day"], one["km2_in_30_days"]
            )
            for one in ler.json("limit", "list")
        }  # fmt: skip

    assert limits() == {"all": (1000, 10.0, 100.0)}
    ler("limit", "set", OWNER, "--requests", "5", "--km2-day", "0.5")
    assert limits() == {"all": (1000, 10.0, 100.0), "one": (5, 0.5, 100.0)}
    ler("limit", "set", OWNER, "--km2-month", "2")
    assert limits()["one"] == (5, 0.5, 2.0)
    ler("limit", "set", OWNER, "--unlimited", "--km2-day", "1")
    assert limits()["one"] == (None, 1.0, None)
    ler("limit", "set", "--requests", "50")
    assert limits()["all"] == (50, 10.0, 100.0)
    ler.refused("limit", "set", OWNER)
    ler("limit", "remove", OWNER)
    assert limits() == {"all": (50, 10.0, 100.0)}
    ler.refused("limit", "remove", OWNER)
    told = [one for one in audited(world) if "limit" in one]
    assert told == [*["operator:request_limit:set"] * 4, "operator:request_limit:remove"]


def test_only_the_operator_sets_limits(world: World) -> None:
    owner = world.owner("10000001", area=None)
    for acting, provider in ((owner, None), (PLATFORM_OPERATOR, owner)):
        with transaction(world.databases.app, acting, provider=provider) as connection:
            with pytest.raises(RefusedError) as refused:
                set_limit(connection, acting, AskingLimit(owner, 1, 1, 1))
            assert refused.value.code == "role-missing"
            with pytest.raises(RefusedError) as refused:
                remove_limit(connection, acting, owner)
            assert refused.value.code == "role-missing"
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        with pytest.raises(RefusedError):
            set_limit(connection, PLATFORM_OPERATOR, AskingLimit(owner, -1, 1, 1))
        with pytest.raises(NotFoundError):
            remove_limit(connection, PLATFORM_OPERATOR, owner)
        set_limit(connection, PLATFORM_OPERATOR, AskingLimit(owner, 1, 1, 1))
    with transaction(world.databases.app, world.owner("10000002", area=None)) as connection:
        assert [one.owner_id for one in list_limits(connection)] == [None]


def test_places_are_added_confirmed_tried_and_removed(ler: Ler, world: World) -> None:
    hook, secret = ler("endpoint", "add", OWNER, "https://8.8.8.8/hook", "--kind", "owner.*").splitlines()
    assert secret.startswith("whsec_")
    mail = ler("endpoint", "add", OWNER, "vagt@example.dk", "--language", "en", "--escalation")
    shown = {one["id"]: one for one in ler.json("endpoint", "list", OWNER)}
    assert [(one["channel"], one["state"]) for one in (shown[hook], shown[mail])] == [
        ("webhook", "active"),
        ("email", "unconfirmed"),
    ]
    assert (shown[hook]["kinds"], shown[mail]["language"], shown[mail]["escalation"]) == (
        ["owner.*"],
        "en",
        True,
    )
    assert "another code" in ler.refused("endpoint", "confirm", OWNER, mail, "WRONG")
    with world.database.connect() as superuser:
        row = superuser.execute("SELECT code FROM ler.notice_endpoint WHERE id = %s", [UUID(mail)]).fetchone()
    if row is not None and row[0] is not None:
        ler("endpoint", "confirm", OWNER, mail, row[0].lower())
        assert {one["state"] for one in ler.json("endpoint", "list", OWNER)} == {"active"}
    assert ler("endpoint", "secret", OWNER, hook) != secret
    ler("endpoint", "test", OWNER, hook)
    assert [one["attempts"] for one in ler.json("endpoint", "deliveries", OWNER, hook)] == [0]
    ler("endpoint", "remove", OWNER, hook)
    assert [one["id"] for one in ler.json("endpoint", "list", OWNER)] == [mail]
    ler.refused("endpoint", "remove", OWNER, hook)


@pytest.mark.parametrize(
    "words",
    [
        ("http://8.8.8.8/hook",),
        ("https://127.0.0.1/hook",),
        ("nobody",),
        ("vagt@example.dk", "--language", "de"),
        ("vagt@example.dk", "--kind", "all"),
    ],
)
def test_what_is_no_place(ler: Ler, words: tuple[str, ...]) -> None:
    ler.refused("endpoint", "add", OWNER, *words)
    assert ler.json("endpoint", "list", OWNER) == []
