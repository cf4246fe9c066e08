"""What must hold after a load: everything that was acknowledged is there, once, and nothing else; everybody was told of it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, LiteralString

from standardwebhooks import Webhook

from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.services.audit import seal, verify_trail
from tests.register_load import ASKED, REQUESTS, Load, Member
from tests.service import eventually

NOTICES = "/api/v1/notices"
DRAIN_S = 90.0


def settle(load: Load) -> None:
    """Wait until nothing is left to send or to make."""
    eventually(lambda: _count(load, "SELECT count(*) FROM ler.outbox WHERE state = 'waiting'") == 0, DRAIN_S)
    eventually(
        lambda: (
            _count(load, "SELECT count(*) FROM ler.excavation_request WHERE packed_revision < revision") == 0
        ),
        DRAIN_S,
    )


def faults_after(load: Load) -> list[str]:
    """Settle and look; return all that does not hold."""
    settle(load)
    return [
        *load.errors,
        *_requests(load),
        *_answers(load),
        *_packages(load),
        *_notices(load),
        *_webhooks(load),
        *_feeds(load),
        *_audit(load),
        *_queue(load),
    ]


def _requests(load: Load) -> Iterator[str]:
    """Every acknowledged request is there once, and asked every owner of its site once."""
    stored = Counter(str(id_) for (id_,) in _rows(load, "SELECT id FROM ler.excavation_request"))
    yield from _differ("requests stored", stored, Counter(load.requests.keys()))
    listed: Counter[str] = Counter()
    for who in load.requesters:
        listed.update(one["id"] for one in _pages(load, who, REQUESTS, "requests"))
    yield from _differ("requests listed", listed, Counter(load.requests.keys()))
    asked = Counter(
        (str(request), str(owner))
        for request, owner in _rows(load, "SELECT request_id, owner_id FROM ler.owner_request")
    )
    wanted = Counter((one.id, owner) for one in load.requests.values() for owner in one.owners)
    yield from _differ("owners asked", asked, wanted)
    for state, count in _rows(load, "SELECT state, count(*) FROM ler.excavation_request GROUP BY state"):
        if state != "complete":
            yield f"{count} requests are {state}"


def _answers(load: Load) -> Iterator[str]:
    """Every acknowledged answer is there once, and revisions have no gaps."""
    stored = Counter(
        (str(id_), revision) for id_, revision in _rows(load, "SELECT id, revision FROM ler.owner_answer")
    )
    yield from _differ("answers stored", stored, Counter((one.id, one.revision) for one in load.answers))
    given = defaultdict(list)
    for one in load.answers:
        given[one.owner_request].append(one.revision)
    for owner_request, revisions in given.items():
        if sorted(revisions) != list(range(1, len(revisions) + 1)):
            yield f"owner request {owner_request} has revisions {revisions}"
    for owner in load.owners:
        if left := [one["id"] for one in _pages(load, owner, f"{ASKED}?state=open", "owner_requests")]:
            yield f"{owner.cvr} still owes {left}"
    features = dict(
        _rows(load, "SELECT answer_id::text, count(*) FROM ler.package_feature GROUP BY answer_id")
    )
    yield from _differ("features", Counter(features), Counter({one.id: one.features for one in load.answers}))


def _packages(load: Load) -> Iterator[str]:
    """One package a revision, each told once; the newest holds what was answered last."""
    for request, owner, revision, count in _rows(
        load,
        "SELECT request_id, owner_id, revision, count(*) FROM ler.package GROUP BY 1, 2, 3 HAVING count(*) > 1",
    ):
        yield f"{count} packages of request {request}, owner {owner}, revision {revision}"
    last = {(one.request, one.owner.cvr): one for one in sorted(load.answers, key=lambda one: one.revision)}
    features: Counter[str] = Counter()
    for (request, _), answer in last.items():
        features[request] += answer.features
    newest = {
        str(request): (revision, packed, count, complete)
        for request, revision, packed, count, complete in _rows(
            load,
            "SELECT r.id, r.revision, p.revision, p.feature_count, (p.manifest ->> 'complete')::boolean"
            " FROM ler.excavation_request AS r LEFT JOIN ler.package AS p"
            " ON p.request_id = r.id AND p.owner_id IS NULL AND p.revision = r.revision",
        )
    }
    for request in load.requests:
        revision, packed, count, complete = newest[request]
        if (packed, count, complete) != (revision, features[request], True):
            yield f"request {request}: package of {packed} of {revision}, {count} of {features[request]} features, {complete}"
        answered = sum(one.request == request for one in load.answers)
        if revision != 1 + answered:
            yield f"request {request} has revision {revision} after {answered} answers"
    for one in load.requests.values():
        if one.package is None or one.package["size_bytes"] != one.package["bytes"]:
            yield f"request {one.id}: downloaded {one.package}"


def _notices(load: Load) -> Iterator[str]:
    """Each act was told once to whom it concerns."""
    told = Counter(
        (kind, str(request), str(audience))
        for kind, request, audience in _rows(
            load, "SELECT kind, request_id, audience_id FROM ler.notice WHERE request_id IS NOT NULL"
        )
    )
    wanted: Counter[tuple[str, str, str]] = Counter()
    for one in load.requests.values():
        requester = str(one.requester.id)
        wanted["request.created", one.id, requester] += 1
        wanted["request.completed", one.id, requester] += 1
        wanted["owner.acknowledged", one.id, requester] += len(one.owners)
        for owner in one.owners:
            wanted["owner.asked", one.id, owner] += 1
    for answer in load.answers:
        kind = "owner.answered" if answer.revision == 1 else "owner.corrected"
        wanted[kind, answer.request, str(load.requests[answer.request].requester.id)] += 1
    for request, requester, count in _rows(
        load,
        "SELECT r.id, r.requester_id, count(*) FROM ler.package AS p JOIN ler.excavation_request AS r ON r.id = p.request_id"
        " WHERE p.owner_id IS NULL GROUP BY r.id",
    ):
        wanted["package.ready", str(request), str(requester)] += count
    yield from _differ("notices", told, wanted)
    for request, count, last in _rows(
        load,
        "SELECT request_id, count(*), max(number) FROM ler.notice WHERE request_id IS NOT NULL"
        " GROUP BY request_id HAVING count(DISTINCT number) <> max(number)",
    ):
        yield f"request {request} has {count} events, the last of number {last}"


def _webhooks(load: Load) -> Iterator[str]:
    """Every notice for an owner came to its receiver, signed, with the same bytes at each try, and was taken once."""
    bodies = defaultdict(set)
    for call in load.receiver.calls:
        owner = load.owners[int(call.path.removeprefix("/"))]
        bodies[owner.cvr, call.headers["webhook-id"]].add(call.body)
        # Some minutes may have passed since: only the signature is looked at.
        signed = call.headers | {"webhook-timestamp": call.headers["webhook-timestamp"]}
        Webhook(owner.secret).verify(call.body, signed)
    if differing := [key for key, some in bodies.items() if len(some) > 1]:
        yield f"notices were not the same at each try: {differing}"
    wanted = Counter(
        (cvr, f"msg_{notice.hex}")
        for cvr, notice in _rows(
            load,
            "SELECT o.cvr, n.id FROM ler.notice AS n JOIN ler.organisation AS o ON o.id = n.audience_id"
            " WHERE n.kind = 'owner.asked'",
        )
    )
    yield from _differ("webhooks", Counter(bodies.keys()), wanted)
    for state, count in _rows(
        load,
        "SELECT state, count(*) FROM ler.outbox WHERE channel = 'webhook' AND state <> 'delivered' GROUP BY state",
    ):
        yield f"{count} rows of the outbox are {state}"


def _feeds(load: Load) -> Iterator[str]:
    """Whoever reads on from place to place reads every notice once."""
    stored = Counter(
        (str(audience), str(id_)) for audience, id_ in _rows(load, "SELECT audience_id, id FROM ler.notice")
    )
    read: Counter[tuple[str, str]] = Counter()
    everybody = [*load.owners, *load.requesters]
    for who in everybody:
        with_places = list(_pages(load, who, f"{NOTICES}?after=0", "notices"))
        read.update((str(who.id), one["id"]) for one in with_places)
    ours = {str(one.id) for one in everybody}
    yield from _differ("notices read", read, Counter({key: n for key, n in stored.items() if key[0] in ours}))


def _audit(load: Load) -> Iterator[str]:
    """The chain verifies, nothing waits, and each act is in it once."""
    seal(load.service.world.databases.worker)
    with transaction(load.service.world.databases.app, PLATFORM_OPERATOR) as connection:
        found = verify_trail(connection)
    if found.broken or found.waiting:
        yield f"audit: {found}"
    counted = dict(_rows(load, "SELECT action, count(*) FROM ler.audit_event GROUP BY action"))
    asked = sum(len(one.owners) for one in load.requests.values())
    packages = _count(load, "SELECT count(*) FROM ler.package")
    for action, count in {
        "requester:excavation_request:add": len(load.requests),
        "ler:excavation_request:match": len(load.requests),
        "owner:owner_request:acknowledge": asked,
        "owner:owner_answer:give": sum(one.revision == 1 for one in load.answers),
        "owner:owner_answer:correct": sum(one.revision > 1 for one in load.answers),
        "worker:package:add": packages,
        "requester:package:download": len(load.requests),
    }.items():
        if counted.get(action, 0) != count:
            yield f"audit: {counted.get(action, 0)} of {count} {action}"


def _queue(load: Load) -> Iterator[str]:
    for state, count in _rows(
        load, "SELECT status::text, count(*) FROM queue.procrastinate_jobs GROUP BY status"
    ):
        if state != "todo":
            yield f"{count} jobs of the queue are {state}"


def _pages(load: Load, who: Member, path: str, name: str) -> Iterator[dict[str, Any]]:
    http = load.service.client(who.token).http
    next_: str | None = path
    while next_:
        answer = http.get(next_)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield from page[name]
        next_ = page.get("next") if page[name] else None


def _rows(load: Load, query: LiteralString) -> list[tuple[Any, ...]]:
    with load.service.world.database.connect() as connection:
        return connection.execute(query).fetchall()


def _count(load: Load, query: LiteralString) -> int:
    return int(_rows(load, query)[0][0])


def _differ[T](what: str, found: Counter[T], wanted: Counter[T]) -> Iterator[str]:
    if missing := wanted - found:
        yield f"{what}: {missing.total()} missing, like {next(iter(missing.items()))}"
    if more := found - wanted:
        yield f"{what}: {more.total()} too many, like {next(iter(more.items()))}"
