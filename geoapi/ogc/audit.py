"""Who has read a network is asked later (`ler.who_has_read`): it is recorded once a minute for each token, not per tile."""

from anyio.to_thread import run_sync
from fastapi import Request

from geoapi.ogc.collections import Collection
from geoapi.ogc.gate import Gate
from geoapi.ogc.site import gate_of
from ler.db.engine import transaction
from ler.db.functions import record_event
from ler.services.principals import Principal


async def tell_of_reading(
    request: Request, collection: Collection, caller: Principal | None, features: int
) -> None:
    """Record that somebody reads a network, the first time in a minute."""
    gate = gate_of(request)
    if caller is None or not collection.pinned or not gate.counts.is_news((caller.token_id, collection.name)):
        return
    await run_sync(_tell, gate, caller, features)


def _tell(gate: Gate, caller: Principal, features: int) -> None:
    with transaction(
        gate.writes, caller.organisation_id, account=caller.account_id, provider=caller.provider_id
    ) as connection:
        record_event(
            connection,
            "owner:network:read",
            actor=caller.organisation_id,
            object_id=caller.organisation_id,
            details={"by": "ogc", "features": features},
        )
