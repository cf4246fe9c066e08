"""What the dig area says of itself in every format that has it: the request, and whether the package is complete.

So that whoever opens the data alone, without the letter or the manifest, is told not to dig.
"""

from collections.abc import Sequence

from ler.packages.advice import advise, is_complete
from ler.packages.content import OwnerStatus, RequestInfo


def area_properties(
    request: RequestInfo, owners: Sequence[OwnerStatus]
) -> dict[str, int | bool | str | None]:
    """Return the properties by name, always the same names in the same order; `complete` False means: do not dig."""
    advice = advise(request, owners)
    return {
        "order_number": request.order_number,
        "period_from": request.period_from.isoformat(),
        "period_to": request.period_to.isoformat(),
        "purpose": request.purpose,
        "description": request.description,
        "kind": str(request.kind),
        # An owner's own package stays as it is while the request's revision moves.
        "revision": request.revision if request.changed_at else None,
        "complete": is_complete(owners),
        "advice_da": " ".join(one.da for one in advice),
        "advice_en": " ".join(one.en for one in advice),
    }
