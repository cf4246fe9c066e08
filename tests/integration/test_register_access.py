"""Who sees and changes what of the register: roles, members, mandates, contacts, interest areas; and roles by time and place."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from sqlalchemy import Connection, Executable, Table, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from ler.db import tables
from ler.db.engine import transaction
from ler.db.functions import refusals
from ler.domain.access import Scope
from ler.domain.roles import MANDATABLE, PERMISSIONS_OF, Role
from ler.errors import NotFoundError, RefusedError
from ler.services.grants import end_grant, find_acting_for, grant_role, list_grants, roles_now
from ler.services.mandates import end_mandate, give_mandate, list_mandates
from ler.services.members import add_member, end_member, list_members
from ler.services.tokens import create_token
from tests.integration.test_db_world import World, square, world

__all__ = ["world"]

OPERATOR = tables.PLATFORM_OPERATOR
KEYS: dict[Table, str] = {
    tables.organisation: "id",
    tables.interest_area: "owner_id",
    tables.account: "organisation_id",
    tables.grant: "organisation_id",
    tables.mandate: "owner_id",
    tables.contact: "owner_id",
}


@dataclass
class Scene:
    """Two owners, each with a member, a mandate for a provider of its own, a contact and somebody who asked it."""

    world: World
    owners: list[UUID]
    providers: list[UUID]
    diggers: list[UUID]


@pytest.fixture
def scene(world: World) -> Scene:
    made = Scene(world, [], [], [])
    for number, west in enumerate((0, 1000)):
        area = square(west, 0, west + 10, 10)
        owner = world.owner(f"owner {number}", area)
        provider = world.organisation(f"provider {number}", role=Role.PROVIDER, cvr=f"1111111{number}")
        digger = world.organisation(f"digger {number}", cvr=f"2222222{number}")
        with world.acting(owner) as connection:
            for table, values in (
                (tables.account, {"organisation_id": owner, "name": "Ane", "email": "ane@x.dk"}),
                (tables.mandate, {"owner_id": owner, "provider_id": provider, "scopes": ["answer:read"]}),
                (tables.contact, {"owner_id": owner, "name": "Vagt", "phone": "112"}),
            ):
                connection.execute(table.insert().values(values))
        world.match(digger, world.request(digger, area))
        made.owners.append(owner)
        made.providers.append(provider)
        made.diggers.append(digger)
    return made


def seen(scene: Scene, principal: UUID | None, role: str = "ler_app") -> dict[str, set[UUID]]:
    with scene.world.acting(principal, role=role) as connection:
        return {
            table.name: set(connection.execute(select(table.c[key])).scalars()) for table, key in KEYS.items()
        }


def nothing(*names: str) -> dict[str, set[UUID]]:
    return {name: set() for name in names}


@pytest.mark.parametrize("role", ["ler_app", "ler_readonly"])
def test_each_sees_its_own_and_what_it_needs_of_others(scene: Scene, role: str) -> None:
    everybody = {*scene.providers}
    for mine in (0, 1):
        owner, provider, digger = scene.owners[mine], scene.providers[mine], scene.diggers[mine]
        own = {name: {owner} for name in ("interest_area", "account", "grant", "mandate", "contact")}
        assert seen(scene, owner, role) == {"organisation": {owner, digger} | everybody, **own}
        none = nothing("interest_area", "account", "contact")
        assert seen(scene, provider, role) == {
            **none,
            "organisation": {owner} | everybody,
            "grant": {provider},
            "mandate": {owner},
        }
        assert seen(scene, digger, role) == {
            **none,
            "organisation": {digger, owner} | everybody,
            "grant": {digger},
            "mandate": set(),
            "contact": {owner},
        }
    assert not any(seen(scene, None, role).values())
    # Nobody else: an organisation that has to do with none of them.
    stranger = scene.world.organisation("stranger", role=Role.AUTHORITY)
    assert seen(scene, stranger, role) == {
        **nothing("interest_area", "account", "contact", "mandate"),
        "organisation": {stranger} | everybody,
        "grant": {stranger},
    }


def test_the_operator_sees_the_register_and_the_auditor_reads_it(scene: Scene) -> None:
    auditor = scene.world.organisation("auditor", role=Role.AUDITOR)
    everybody = {*scene.owners, *scene.providers, *scene.diggers, auditor, OPERATOR}
    kept = {name: {*scene.owners} for name in ("interest_area", "mandate")}
    told = {name: {*scene.owners} for name in ("account", "contact")}
    register = {"organisation": everybody, "grant": everybody, **kept}
    assert seen(scene, OPERATOR) == register | told
    assert seen(scene, auditor) == register | nothing(*told)


def test_the_worker_sees_the_contacts_of_those_its_request_asked(scene: Scene) -> None:
    world, digger = scene.world, scene.diggers[0]
    with world.acting(digger) as connection:
        request = connection.execute(select(tables.excavation_request.c.id)).scalar_one()
    for asked, owners in ((request, {scene.owners[0]}), (uuid4(), set()), (None, set())):
        with world.acting(None, role="ler_worker", request=asked) as connection:
            assert set(connection.execute(select(tables.contact.c.owner_id)).scalars()) == owners
    for table in (tables.account, tables.grant, tables.mandate):
        with (
            pytest.raises(DBAPIError, match="denied"),
            world.acting(None, role="ler_worker", request=request) as connection,
        ):
            connection.execute(select(table))


def test_changing_what_is_anothers_or_beyond_ones_role_is_refused(scene: Scene) -> None:
    world = scene.world
    (mine, yours), provider, digger = scene.owners, scene.providers[0], scene.diggers[0]
    geom = from_shape(MultiPolygon([square(0, 0, 1, 1)]), srid=tables.SRID)
    area = {"utility_types": ["el"], "geom": geom}
    statements: list[tuple[UUID, Executable]] = [
        (mine, tables.organisation.insert().values(name="x")),
        (mine, tables.organisation.update().values(name="Energinet")),
        (mine, tables.organisation.update().values(duties=["duct"])),
        (mine, tables.organisation.update().values(cvr="99999999")),
        (mine, tables.organisation.delete()),
        (mine, tables.interest_area.insert().values(area | {"owner_id": yours})),
        (digger, tables.interest_area.insert().values(area | {"owner_id": digger})),
        (mine, tables.interest_area.update().values(geom=geom)),
        (mine, tables.interest_area.update().values(ended_at="2020-01-01")),
        (mine, tables.interest_area.delete()),
        (mine, tables.account.insert().values(organisation_id=yours, name="x", email="x@x.dk")),
        (mine, tables.account.insert().values(organisation_id=mine, name="x", email="x@x.dk", subject="s")),
        (mine, tables.account.update().values(organisation_id=yours)),
        (mine, tables.account.update().values(subject="s", issuer="i")),
        (mine, tables.account.update().values(ended_at="2020-01-01")),
        (mine, tables.account.delete()),
        (mine, tables.grant.insert().values(organisation_id=mine, role="auditor")),
        (mine, tables.grant.delete()),
        (OPERATOR, tables.grant.insert().values(organisation_id=mine, role="operator")),
        (OPERATOR, tables.grant.update().values(valid_to="2099-01-01")),
        (OPERATOR, tables.grant.update().values(role="auditor")),
        (mine, tables.mandate.insert().values(owner_id=yours, provider_id=provider, scopes=["x"])),
        (mine, tables.mandate.insert().values(owner_id=mine, provider_id=yours, scopes=["x"])),
        (mine, tables.mandate.insert().values(owner_id=mine, provider_id=uuid4(), scopes=["x"])),
        (provider, tables.mandate.insert().values(owner_id=mine, provider_id=provider, scopes=["x"])),
        (OPERATOR, tables.mandate.insert().values(owner_id=mine, provider_id=provider, scopes=["x"])),
        (provider, tables.mandate.update().values(scopes=["answer:write"])),
        (mine, tables.mandate.update().values(revoked_at="2099-01-01")),
        (mine, tables.mandate.update().values(revoked_at=None)),
        (mine, tables.mandate.delete()),
        (mine, tables.contact.insert().values(owner_id=yours, name="x", phone="1", rank=2)),
        (digger, tables.contact.insert().values(owner_id=digger, name="x", phone="1")),
        (mine, tables.contact.update().values(owner_id=yours)),
    ]
    for principal, statement in statements:
        with (
            pytest.raises(DBAPIError, match=r"policy|denied|only the operator|ck_grant_operator"),
            world.acting(principal) as connection,
        ):
            connection.execute(statement)
    # What another's policy hides is as good as absent.
    for principal, table, column, value in (
        (digger, tables.contact, "name", "x"),
        (scene.diggers[0], tables.organisation, "phone", "1"),
        (mine, tables.grant, "valid_to", text("now()")),
    ):
        with world.acting(principal) as connection:
            own = connection.execute(table.update().values({column: value})).rowcount
            assert own == (1 if table is tables.organisation else 0)
    with world.acting(digger) as connection:
        assert connection.execute(tables.contact.delete()).rowcount == 0
        assert connection.execute(tables.interest_area.update().values(ended_at=func.now())).rowcount == 0


def test_a_member_is_in_an_organisation_once_and_comes_back_after_the_end(scene: Scene) -> None:
    mine = scene.owners[0]
    again = {"organisation_id": mine, "name": "Ane", "email": "ANE@x.dk"}
    with pytest.raises(IntegrityError), scene.world.acting(mine) as connection:
        connection.execute(tables.account.insert().values(again))
    with scene.world.acting(mine) as connection:
        assert connection.execute(tables.account.update().values(ended_at=func.now())).rowcount == 1
    with scene.world.acting(mine) as connection:
        connection.execute(tables.account.insert().values(again))
        # The one that has ended is not changed any more.
        assert connection.execute(tables.account.update().values(language="en")).rowcount == 1


def test_an_unnamed_private_person_is_not_shown_to_whom_it_asks(world: World) -> None:
    owner = world.owner("owner")
    person = world.organisation("Jens Hansen", role=Role.PRIVATE)
    world.match(person, world.request(person, square(0, 0, 10, 10)))
    for anonymous in (False, True):
        with world.acting(person) as connection:
            connection.execute(tables.organisation.update().values(anonymous=anonymous))
        with world.acting(owner) as connection:
            shown = set(connection.execute(select(tables.organisation.c.name)).scalars())
            asked = set(connection.execute(select(tables.owner_request.c.requester_id)).scalars())
        assert shown == ({"owner"} if anonymous else {"owner", "Jens Hansen"})
        assert asked == {person}, "what is asked is seen, whoever asks"


def test_roles_hold_for_their_time_and_their_place(world: World) -> None:
    org = world.organisation("org", role=Role.EXCAVATOR)
    west, east = MultiPolygon([square(0, 0, 10, 10)]), MultiPolygon([square(10, 0, 20, 10)])
    with world.acting(OPERATOR) as connection:
        grant_role(connection, org, Role.AUTHORITY, area=west)
        grant_role(connection, org, Role.AUTHORITY, area=east, note="erklæring af 1. maj")
        begin = connection.execute(text("SELECT now() + interval '1 day'")).scalar_one()
        later = grant_role(connection, org, Role.PROVIDER, valid_from=begin)
    with world.acting(None) as connection:
        assert roles_now(connection, org) == {Role.EXCAVATOR, Role.AUTHORITY}
        for place, roles in (
            (square(1, 1, 9, 9), {Role.EXCAVATOR, Role.AUTHORITY}),
            (square(5, 5, 15, 6), {Role.EXCAVATOR, Role.AUTHORITY}),
            (square(5, 5, 25, 6), {Role.EXCAVATOR}),
            (square(100, 0, 110, 10), {Role.EXCAVATOR}),
        ):
            assert roles_now(connection, org, place) == roles
        assert roles_now(connection, uuid4()) == frozenset()
    with world.acting(OPERATOR) as connection:
        (authority,) = [
            one.id for one in list_grants(connection, org) if one.role is Role.AUTHORITY and not one.note
        ]
        for ended in (authority, later):
            end_grant(connection, ended)
    for ended in (authority, later, uuid4()):
        with pytest.raises(NotFoundError), world.acting(OPERATOR) as connection:
            end_grant(connection, ended)
    with world.acting(org) as connection:
        assert roles_now(connection, org, square(1, 1, 9, 9)) == {Role.EXCAVATOR}
        assert roles_now(connection, org, square(11, 1, 19, 9)) == {Role.EXCAVATOR, Role.AUTHORITY}
        every = {one.id: one for one in list_grants(connection)}
    assert len(every) == 4, "what was granted stays to be read"
    assert every[later].valid_from == every[later].valid_to


def test_a_grant_that_cannot_be_is_refused(world: World) -> None:
    org = world.organisation("org")
    with world.acting(OPERATOR) as connection:
        now = connection.execute(text("SELECT now()")).scalar_one()
        bowtie = MultiPolygon([square(0, 0, 1, 1), square(0, 0, 1, 1)])
        for code, values in {
            "role-not-grantable": {"role": Role.OPERATOR},
            "period-invalid": {"valid_from": now, "valid_to": now},
            "geometry-invalid": {"area": bowtie},
            "text-invalid": {"note": "a\nb"},
        }.items():
            with pytest.raises(RefusedError) as caught:
                grant_role(connection, org, **{"role": Role.OWNER, **values})
            assert caught.value.code == code


def test_a_mandate_lets_a_provider_do_what_it_names_while_everybody_is_what_he_was(scene: Scene) -> None:
    world, owner, provider = scene.world, scene.owners[0], scene.providers[0]
    with world.database.connect() as superuser:
        superuser.execute("UPDATE ler.organisation SET cvr = '33333333' WHERE id = %s", [owner])

    def acting(cvr: str = "33333333", provider: UUID = provider) -> frozenset[Scope] | None:
        with world.acting(None) as connection:
            found = find_acting_for(connection, provider, cvr)
        assert found is None or found.organisation_id == owner
        return found.scopes if found else None

    def give(**values: object) -> UUID:
        with world.acting(owner) as connection:
            mandate = {"owner_id": owner, "provider_id": provider, **values}
            query = tables.mandate.insert().values(mandate).returning(tables.mandate.c.id)
            return UUID(str(connection.execute(query).scalar_one()))

    def revoke(mandate: UUID, by: UUID) -> None:
        with world.acting(by) as connection:
            query = tables.mandate.update().where(tables.mandate.c.id == mandate)
            assert connection.execute(query.values(revoked_at=func.now())).rowcount == 1

    assert acting() == frozenset({Scope.ANSWER_READ})
    assert acting(provider=scene.providers[1]) is None
    assert acting("22222220") is None
    assert acting("00000000") is None
    # Several count together; an unknown scope and one beyond the owner's own rights grant nothing.
    more = give(scopes=["answer:write", "answer:burn", "request:write"])
    assert acting() == frozenset({Scope.ANSWER_READ, Scope.ANSWER_WRITE})
    everything = give(scopes=[*Scope])
    assert acting() == PERMISSIONS_OF[Role.OWNER] & MANDATABLE
    revoke(everything, by=owner)
    revoke(more, by=provider)
    give(scopes=["network:read"], valid_from=text("now() + interval '1 hour'"))
    give(scopes=["network:read"], valid_from="2020-01-01", valid_to="2021-01-01")
    assert acting() == frozenset({Scope.ANSWER_READ})
    # It ends with the provider's role, and with the owner's.
    for organisation, left in ((owner, frozenset[Scope]()), (provider, None)):
        with world.acting(OPERATOR) as connection:
            for one in list_grants(connection, organisation):
                end_grant(connection, one.id)
        assert acting() == left


def test_an_interest_area_ends_and_its_next_revision_keeps_the_number(scene: Scene) -> None:
    world, owner, other = scene.world, scene.owners[0], scene.owners[1]
    revise = text(
        "SELECT ler.revise_interest_area(:area, :seen, NULL, :geom, 'moved', NULL, 'Havnen 1', 'a@x.dk', true)"
    )
    area = tables.interest_area
    with world.acting(owner) as connection:
        before = connection.execute(select(area)).one()
    geom = f"SRID=25832;{MultiPolygon([square(500, 0, 510, 10)]).wkt}"
    values = {"area": before.id, "seen": 1, "geom": geom}
    codes: dict[str, str | tuple[str, str]] = {"LE404": "none", "LE409": ("changed", "")}
    for principal, change in ((other, {}), (owner, {"area": uuid4()}), (scene.diggers[0], {})):
        with pytest.raises(NotFoundError), world.acting(principal) as connection, refusals(codes):
            connection.execute(revise, values | change)
    with pytest.raises(RefusedError), world.acting(owner) as connection, refusals(codes):
        connection.execute(revise, values | {"seen": 2})
    with world.acting(owner) as connection:
        made = connection.execute(revise, values).scalar_one()
    with pytest.raises(RefusedError), world.acting(owner) as connection, refusals(codes):
        connection.execute(revise, values)
    with world.acting(owner) as connection:
        rows = {row.id: row for row in connection.execute(select(area))}
    assert rows[made].registration_number == rows[before.id].registration_number
    assert (rows[made].revision, rows[made].ended_at, rows[made].utility_types) == (2, None, ["el"])
    assert (rows[made].remark, rows[made].contact_address, rows[made].voluntary) == (
        "moved",
        "Havnen 1",
        True,
    )
    assert rows[before.id].ended_at is not None
    # Who digs where it was asks nobody; where it is now, the owner; what was asked stays asked.
    digger = scene.diggers[1]
    for place, asked in ((square(0, 0, 10, 10), set()), (square(500, 0, 510, 10), {owner})):
        assert set(world.match(digger, world.request(digger, place))) == asked
    with world.acting(scene.diggers[0]) as connection:
        assert connection.execute(select(tables.owner_request.c.interest_area_id)).scalars().all() == [
            before.id
        ]
    # The operator may end it as well, and then nobody is asked any more.
    with world.acting(OPERATOR) as connection:
        query = area.update().where(area.c.id == made).values(ended_at=func.now())
        assert connection.execute(query).rowcount == 1
        assert connection.execute(query).rowcount == 0
    assert world.match(digger, world.request(digger, square(500, 0, 510, 10))) == {}


type _Act = Callable[[Connection], object]


def test_a_provider_makes_and_ends_nothing_that_lets_anybody_in(scene: Scene) -> None:
    owner, provider = scene.owners[0], scene.providers[0]
    with scene.world.acting(owner) as connection:
        (given,) = list_mandates(connection)
        member = list_members(connection, owner)[0].id
    with scene.world.acting(OPERATOR) as connection:
        granted = list_grants(connection, owner)[0].id
        create_token(connection, owner, scopes=[Scope.AUDIT_READ], days=1)
    app = scene.world.engines["ler_app"]
    acts: list[tuple[UUID, _Act]] = [
        (owner, lambda c: end_mandate(c, owner, given.id)),
        (owner, lambda c: give_mandate(c, owner, "11111110", [Scope.AUDIT_READ])),
        (owner, lambda c: end_member(c, owner, member)),
        (owner, lambda c: add_member(c, owner, owner, name="Bo", email="bo@x.dk")),
        (OPERATOR, lambda c: grant_role(c, owner, Role.AUDITOR)),
        (OPERATOR, lambda c: end_grant(c, granted)),
    ]
    for acting, act in acts:
        with (
            pytest.raises(RefusedError) as refused,
            transaction(app, acting, provider=provider) as connection,
        ):
            act(connection)
        assert refused.value.code == "role-missing"
    # Past the services the database refuses as well.
    for table, values in (
        ("mandate", "revoked_at = now()"),
        ("account", "ended_at = now()"),
        ("access_token", "revoked_at = now()"),
    ):
        with transaction(app, owner, provider=provider) as connection:
            assert connection.execute(text(f"UPDATE ler.{table} SET {values}")).rowcount == 0  # noqa: S608 - ours
    with transaction(app, OPERATOR, provider=provider) as connection:
        assert connection.execute(text('UPDATE ler."grant" SET valid_to = now()')).rowcount == 0
    with transaction(app, provider) as connection:
        assert end_mandate(connection, provider, given.id).revoked_at, "it lays its own down as itself"
