"""An owner with one restricted pipe and one plain one, and somebody who digs there; for tests over HTTP."""

from datetime import date
from itertools import count
from pathlib import Path
from uuid import UUID

from shapely import MultiPolygon, Polygon, box

from conflicts.match import match_request
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.domain.sensitivity import SensitivityClass, SensitivityRule
from ler.services.registry import get_organisation, register_interest_area
from ler.services.requests import DEFAULT_LIMITS, NewRequest, create_request
from ler.services.sensitivity import make_rule
from tests.world import SETTINGS, World, water_pipe

_PLACES = count(1)


def withhold_something(
    world: World, owner: UUID, folder: Path, kind: SensitivityClass = SensitivityClass.RESTRICTED
) -> Polygon:
    """Publish the two pipes as an owner's network, at a place of its own, with a rule; return an area with both."""
    west, south = 574000 + 100 * next(_PLACES), 6223000
    area = box(west, south, west + 40, south + 40)
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        cvr = get_organisation(connection, owner).cvr
        register_interest_area(
            connection,
            owner,
            utility_types=["vand"],
            area=MultiPolygon([area]),
            coverage=SETTINGS.coverage,
        )
    assert cvr is not None
    world.network(
        cvr,
        folder,
        water_pipe("secret", (west + 5, south + 5, 1.5), (west + 35, south + 5, 1.5)),
        water_pipe("plain", (west + 5, south + 30, 1.5), (west + 35, south + 30, 1.5)),
    )
    with transaction(world.databases.app, owner) as connection:
        make_rule(connection, owner, SensitivityRule(kind, gml_ids=frozenset({"secret"})))
    return area


def ask_beside(world: World, area: Polygon, digger: UUID = PLATFORM_OPERATOR) -> UUID:
    """Ask for an area and match it; return the request."""
    wanted = NewRequest(area, date(2026, 12, 1), date(2026, 12, 14), "test")
    with transaction(world.databases.app, digger) as connection:
        request = create_request(connection, digger, wanted, DEFAULT_LIMITS)
        match_request(connection, request.id)
    return request.id
