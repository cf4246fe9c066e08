"""What must hold after every act in the life of requests: the database against the model, and what each may see."""

from collections import Counter
from typing import Any
from uuid import UUID

from tests.life_model import Life
from tests.life_scene import Scene


def check_stored(scene: Scene, life: Life) -> None:
    """What is stored, told and recorded is what the model says, each once."""
    stored = scene.stored()
    _check_told(scene, life, stored)
    assert (stored["requests"] or {}) == {
        str(one.id): {
            "state": one.state,
            "revision": one.revision,
            "packed": one.packed,
            "days": one.days if not one.past else stored["requests"][str(one.id)]["days"],
            "last_event": sum(count for (_, _, about, _), count in life.notices.items() if about == one.id),
        }
        for one in life.requests
    }
    assert (stored["duties"] or {}) == {
        str(duty.id): {
            "state": duty.state,
            "late": duty.late,
            "request": str(request.id),
            "reminded": 100 if duty.reminded else 0,
        }
        for request, duty in life.duties()
    }
    _check_answers(life, stored["answers"] or {})


def _check_answers(life: Life, stored: dict[str, Any]) -> None:
    """Every answer as it was given, and of each owner and area one that holds."""
    assert {
        one: {
            **row,
            "lines": {(gml_id, year) for gml_id, year in row["lines"]},
            "files": {(path, sha256) for path, sha256 in row["files"]},
        }
        for one, row in stored.items()
    } == {
        str(given.id): {
            "request": str(request.id),
            "owner": str(given.owner),
            "area": str(given.area) if given.area else None,
            "kind": given.kind,
            "revision": given.revision,
            "by": "owner" if given.by_owner else "platform",
            "holds": given.holds,
            "withdrawn": given.withdrawn,
            "version": given.version,
            "lines": given.lines,
            "files": given.files,
        }
        for request in life.requests
        for given in request.answers
    }
    holding = Counter((row["request"], row["owner"], row["area"]) for row in stored.values() if row["holds"])
    assert not holding or max(holding.values()) == 1


def _check_told(scene: Scene, life: Life, stored: dict[str, Any]) -> None:
    told: dict[UUID, list[int]] = {}
    found: Counter[Any] = Counter()
    for audience, kind, request, owner, number in stored["notices"] or ():
        if request is not None:
            found[_id(audience), kind, _id(request), _id(owner)] += 1
            told.setdefault(UUID(request), []).append(number)
    assert _named(scene, life, found - life.notices) == [], "nobody is told what did not happen"
    assert _named(scene, life, life.notices - found) == [], "nothing happens untold"
    for numbers in told.values():
        assert numbers == [*range(1, len(numbers) + 1)]
    acts = Counter((action, _id(thing)) for action, thing in stored["acts"] or ())
    assert acts == +life.acts
    by_agent = Counter((action, _id(thing)) for action, thing in stored["by_agent"] or ())
    assert by_agent == life.by_agent, "the trail tells who acted for another"
    packages = Counter(
        (_id(request), _id(owner), revision) for request, owner, revision in stored["packages"] or ()
    )
    assert not packages or max(packages.values()) == 1
    jobs = {UUID(one) for one in stored["jobs"] or ()}
    assert jobs == {one.id for one in life.requests if one.called}


def check_seen(scene: Scene, life: Life) -> None:
    """Each organisation sees what is its own, all of it, and nothing of another."""
    everybody = scene.everybody
    for one, seen in zip(everybody, scene.seen_by(everybody), strict=True):
        own = [request for request in life.requests if request.requester == one]
        duties = {duty.id for request, duty in life.duties() if one in {request.requester, duty.owner}}
        asked = {duty.id for _, duty in life.duties() if duty.owner == one}
        assert seen["others"] == 0
        assert {*(seen["requests"] or ())} == {request.id for request in own}
        assert {*(seen["duties"] or ())} == duties
        assert {*(seen["asked"] or ())} == asked


def _named(scene: Scene, life: Life, told: Counter[Any]) -> list[str]:
    """Notices in words: whom, of what, about which of the requests and owners."""
    names = {owner: name for name, owner in scene.owners.items()}
    names |= {digger: f"digger {number}" for number, digger in enumerate(scene.diggers)}
    order = [one.id for one in life.requests]
    return [
        f"{names.get(who, who)}: {what}, request {order.index(about)}, owner {names.get(owner)}"
        for who, what, about, owner in told.elements()
    ]


def _id(told: str | None) -> UUID | None:
    return UUID(told) if told is not None else None
