"""Logging in with a browser, by a real issuer: the session, what it is good for, and what a stranger can make of it."""

import base64
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from geoapi.dev_issuer import Person
from geoapi.routes.tokens import ME, PATH
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR, account
from ler.domain.roles import Role
from ler.services.grants import grant_role
from tests.databases import SharedCluster
from tests.issuer import FalseIssuer, open_issuer
from tests.service import Service, execute, open_service
from tests.world import open_world

ANNA = Person("anna@example.dk", "Anna Andersen", subject="a-1")
BENT = Person("bent@example.dk", "Bent", subject="b-1", amr=("pwd",))
CARL = Person("carl@example.dk", "Carl", subject="c-1", email_verified=False)
DORA = Person("dora@example.dk", "Dora", subject="d-1")
SECRET = "of thirty-two characters or more"  # noqa: S105 - of nothing but these tests


@pytest.fixture(scope="module")
def issuer() -> Iterator[FalseIssuer]:
    with open_issuer([ANNA, BENT, CARL, DORA], "", client_secret=SECRET) as made:
        yield made


@pytest.fixture(scope="module")
def service(
    shared_cluster: SharedCluster,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    issuer: FalseIssuer,
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("login")
    settings = {
        "LER_OIDC_ISSUER": issuer.issuer,
        "LER_OIDC_CLIENT_SECRET": SECRET,
        "LER_REFUSALS_PER_MINUTE": "100000",
    }
    with (
        shared_cluster.database(migrated_template) as database,
        open_world(database) as world,
        open_service(world, folder, **settings) as made,
    ):
        made.serve()
        issuer.redirect_uris = [f"{made.url}/login/callback"]
        first = member(made, made.owner(), ANNA, administrator=True)
        assert first
        for person in (BENT, CARL):
            member(made, made.owner(), person)
        for _ in range(2):
            member(made, made.owner(), DORA)
        yield made


def member(service: Service, organisation: UUID, person: Person, *, administrator: bool = False) -> UUID:
    values = {
        "organisation_id": organisation,
        "name": person.name,
        "email": person.email,
        "administrator": administrator,
    }
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        made: UUID = connection.execute(account.insert().values(values).returning(account.c.id)).scalar_one()
    return made


@pytest.fixture
def browser(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=30) as made:
        yield made


def leave(
    browser: httpx.Client, person: Person = ANNA, *, to: str | None = None, **query: str
) -> httpx.Response:
    """Go to the issuer; return how it sends the browser back."""
    asked = {"login_hint": person.email} | query | ({} if to is None else {"return": to})
    left = browser.get("/login", params=asked)
    assert left.status_code == 303, left.text
    back = httpx.get(left.headers["location"])
    assert back.status_code == 303, back.text
    return back


def log_in(
    browser: httpx.Client, person: Person = ANNA, *, to: str | None = None, **query: str
) -> httpx.Response:
    return browser.get(leave(browser, person, to=to, **query).headers["location"])


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rpartition("/")[2])


def recorded(service: Service) -> list[tuple[str, dict[str, Any]]]:
    with service.world.database.connect() as connection:
        rows = connection.execute("SELECT action, details FROM ler.audit_event ORDER BY id").fetchall()
    return [(row[0], row[1]) for row in rows]


def test_a_person_logs_in_works_and_logs_out(service: Service, browser: httpx.Client) -> None:
    assert browser.get(ME).status_code == 401
    came = log_in(browser, to="/api/v1/uploads?limit=1")
    assert (came.status_code, came.headers["location"]) == (303, "/api/v1/uploads?limit=1")
    assert came.headers["cache-control"] == "no-store"
    cookie = next(value for value in came.headers.get_list("set-cookie") if value.startswith("ler_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    me = browser.get(ME).json()
    assert me["account"]
    assert me["token"]["kind"] == "session"
    assert "token:write" in me["scopes"]
    session = browser.cookies["ler_session"]
    assert httpx.get(f"{service.url}{ME}", headers={"Authorization": f"Bearer {session}"}).status_code == 401
    gone = browser.post("/logout", headers={"Origin": service.url})
    assert gone.status_code == 204
    assert "ler_session" not in browser.cookies
    browser.cookies.set("ler_session", session)
    assert slug(browser.get(ME)) == "token-invalid", "the session has ended and not only its cookie"


def test_another_sites_page_cannot_make_a_browser_change_anything(
    service: Service, browser: httpx.Client
) -> None:
    log_in(browser)
    body = {"scopes": ["register:read"]}
    refused: list[dict[str, str]] = [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": service.url + ".evil.example"},
        {"Origin": service.url.replace("http:", "https:")},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://evil.example", "Host": "evil.example"},
        {"Referer": service.url},
    ]
    for headers in refused:
        answer = browser.post(PATH, json=body, headers=headers)
        assert (answer.status_code, slug(answer)) == (403, "origin-refused"), headers
        assert browser.post("/logout", headers=headers).status_code == 403
    for headers in ({"Origin": service.url}, {"Sec-Fetch-Site": "same-origin"}):
        assert browser.post(PATH, json=body, headers=headers).status_code == 201
    token = browser.post(PATH, json={"scopes": ["token:write"]}, headers={"Origin": service.url}).json()[
        "token"
    ]
    evil = {"Origin": "https://evil.example"}
    basic = httpx.post(f"{service.url}{PATH}", auth=("", token), json=body, headers=evil)
    assert slug(basic) == "origin-refused", "a browser keeps and sends along what was typed into its prompt"
    assert (
        httpx.post(f"{service.url}{PATH}", auth=("", token), json={"scopes": ["token:write"]}).status_code
        == 201
    )


def test_a_session_that_somebody_planted_is_not_taken_over(service: Service, browser: httpx.Client) -> None:
    with httpx.Client(base_url=service.url) as attacker:
        log_in(attacker)
        planted = attacker.cookies["ler_session"]
        browser.cookies.set("ler_session", planted, domain=str(urlsplit(service.url).hostname))
        came = log_in(browser)
        sessions = [one for one in came.headers.get_list("set-cookie") if one.startswith("ler_session=")]
        assert len(sessions) == 1
        assert planted not in sessions[0]
        assert attacker.get(ME).status_code == 401, "it ended when somebody logged in over it"


def test_who_began_a_login_finishes_it(service: Service, browser: httpx.Client) -> None:
    back = leave(browser).headers["location"]
    with httpx.Client(base_url=service.url) as other:
        for cookie in (None, "e30=", "!!!", base64.urlsafe_b64encode(b'{"state": 1}').decode()):
            if cookie is not None:
                other.cookies.set("ler_login", cookie)
            assert slug(other.get(back)) == "login-refused"
        leave(other)
        assert slug(other.get(back)) == "login-refused", "another browser's code with this one's cookie"
    state = parse_qs(urlsplit(back).query)["state"][0]
    for query in ("", f"?state={state}", f"?code=x&state={state}x", f"?error=access_denied&state={state}"):
        assert slug(browser.get(f"/login/callback{query}")) == "login-refused"
    mixed = browser.get(back.replace("iss=http", "iss=https"))
    assert slug(mixed) == "login-refused", "the answer of another issuer (RFC 9207)"
    assert "ler_session" not in browser.cookies
    assert browser.get(back).status_code == 303
    assert slug(browser.get(back)) == "login-refused", "a code is good once"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%0d%0aSet-Cookie:x=y",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/a\nb",
        "/æ",
        "http:/evil.example",
        " /a",
    ],
)
def test_a_login_leads_nowhere_but_here(service: Service, browser: httpx.Client, wanted: str) -> None:
    came = log_in(browser, to=wanted)
    assert came.status_code == 303
    target = came.headers["location"]
    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))
    assert urlsplit(str(httpx.URL(service.url).join(target))).netloc == urlsplit(service.url).netloc
    # Nor when the browser's own cookie was tampered with.
    back = leave(browser).headers["location"]
    kept = json.loads(base64.urlsafe_b64decode(browser.cookies["ler_login"]))
    changed = base64.urlsafe_b64encode(json.dumps(kept | {"return": wanted}).encode()).decode()
    with httpx.Client(base_url=service.url, cookies={"ler_login": changed}) as tampered:
        assert urlsplit(tampered.get(back).headers["location"]).netloc == ""


def test_who_is_no_member_or_has_one_factor_is_refused_and_recorded(
    service: Service, browser: httpx.Client, issuer: FalseIssuer
) -> None:
    assert slug(log_in(browser, BENT)) == "second-factor-missing"
    assert slug(log_in(browser, CARL)) == "member-unknown", "nobody made sure that it is his address"
    several = log_in(browser, DORA)
    assert slug(several) == "organisation-needed"
    cvr = several.json()["organisations"][1]["cvr"]
    assert slug(log_in(browser, DORA, organisation="99999999")) == "member-unknown"
    assert "ler_session" not in browser.cookies
    assert log_in(browser, DORA, organisation=cvr).status_code == 303
    assert browser.get(ME).json()["organisation"]["cvr"] == cvr
    issuer.change = lambda claims: claims | {"aud": "another program"}
    try:
        assert slug(log_in(browser)) == "login-refused"
    finally:
        issuer.change = None
    refused = [details for action, details in recorded(service) if action == "auth:login:refuse"]
    codes = {one["code"] for one in refused}
    assert {"second-factor-missing", "member-unknown", "login-refused"} <= codes
    assert any("id-token" in str(one.get("reason")) for one in refused)
    assert SECRET not in json.dumps(refused)


def test_what_a_person_makes_is_that_persons(service: Service, browser: httpx.Client) -> None:
    log_in(browser)
    me = browser.get(ME).json()
    made = browser.post(PATH, json={"scopes": ["register:read"]}, headers={"Origin": service.url})
    assert made.status_code == 201
    assert made.json()["account"] == me["account"]
    token = made.json()["token"]
    client = service.client(token).http
    assert client.get(ME).json()["scopes"] == ["register:read"]
    execute(service, "UPDATE ler.account SET ended_at = now() WHERE id = %s", me["account"])
    try:
        assert client.get(ME).status_code == 401
        assert browser.get(ME).status_code == 401
    finally:
        execute(service, "UPDATE ler.account SET ended_at = NULL WHERE id = %s", me["account"])


def test_a_page_that_asks_who_calls_leads_there_and_back(browser: httpx.Client) -> None:
    asked = "/ogc/collections/network/items"
    page = browser.get(asked, headers={"Accept": "text/html"})
    assert page.status_code == 401
    link = unescape(re.findall(r'href="(/login[^"]+)"', page.text)[0])
    assert browser.get(link).status_code == 303
    (back,) = parse_qs(urlsplit(link).query)["return"]
    assert log_in(browser, to=back).headers["location"] == asked


def test_without_an_issuer_nobody_logs_in(new_service: Service) -> None:
    new_service.serve()
    answer = httpx.get(f"{new_service.url}/login")
    assert (answer.status_code, slug(answer)) == (404, "login-unavailable")


def test_behind_https_the_cookies_are_of_this_host_alone(new_service: Service, issuer: FalseIssuer) -> None:
    new_service.settings |= {
        "LER_OIDC_ISSUER": issuer.issuer,
        "LER_OIDC_CLIENT_SECRET": SECRET,
        "LER_PUBLIC_URL": "https://ler.example",
    }
    new_service.serve()
    owner = new_service.owner()
    member(new_service, owner, ANNA)
    before, issuer.redirect_uris = issuer.redirect_uris, ["https://ler.example/login/callback"]
    try:
        left = httpx.get(
            f"{new_service.url}/login", params={"login_hint": ANNA.email}, headers={"Host": "evil.example"}
        )
        assert left.headers["set-cookie"].startswith("__Secure-ler_login=")
        assert "Secure" in left.headers["set-cookie"]
        back = httpx.get(left.headers["location"]).headers["location"]
        assert back.startswith("https://ler.example/login/callback?"), "and never what the Host header said"
        cookie = left.headers["set-cookie"].partition(";")[0]
        came = httpx.get(back.replace("https://ler.example", new_service.url), headers={"Cookie": cookie})
    finally:
        issuer.redirect_uris = before
    session = came.headers.get_list("set-cookie")[0]
    assert session.startswith("__Host-ler_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in session.split(";")}
    assert "Domain" not in session


def test_an_issuer_in_the_clear_is_not_served(new_service: Service) -> None:
    new_service.settings |= {"LER_OIDC_ISSUER": "http://issuer.example"}
    with pytest.raises(AssertionError):
        new_service.serve()
    assert "must be https" in "".join(new_service.said())


def test_roles_of_a_person_are_those_of_now(service: Service, browser: httpx.Client) -> None:
    log_in(browser)
    organisation = browser.get(ME).json()["organisation"]["id"]
    assert "auditor" not in browser.get(ME).json()["roles"]
    with transaction(service.world.databases.app, PLATFORM_OPERATOR) as connection:
        grant_role(connection, UUID(organisation), Role.AUDITOR)
    assert "auditor" in browser.get(ME).json()["roles"]
