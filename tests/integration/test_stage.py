"""From an upload to a version: what is compared, what waits, what a delta makes, what was there before."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import shapely
from sqlalchemy import text

from ingest.compare import Amount, Comparison, Verdict
from ingest.findings import Findings
from ingest.report.changes_map import draw_changes, staged_changes, version_changes
from ingest.stage import (
    Mode,
    NetworkRefusedError,
    Staged,
    approve_version,
    discard_version,
    stage_network,
)
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import NotFoundError, RefusedError
from ler.model import ANSWER, Feature, load_model
from ler.packages.gml import Answer, write_answer
from ler.services.networks import list_versions, purge_versions, read_network, sweep_staging
from ler.services.registry import Organisation, get_owner
from ler.settings import Settings
from tests.databases import Database
from tests.world import World, header, open_world, valve, water_pipe

CVR = "12345678"
EAST, NORTH = 575_000.0, 6_224_000.0


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with open_world(database) as made:
        yield made


@pytest.fixture
def owner(world: World) -> UUID:
    return world.owner(CVR)


def pipe(name: str, row: int, *, shift: float = 0.0, length: float = 10.0, **more: Any) -> Feature:  # noqa: ANN401 - attributes
    x, y = EAST + shift, NORTH + 5 * row
    return water_pipe(name, (x, y, 1), (x + length, y, 1), **more)


def network(count: int = 10, **more: Any) -> list[Feature]:  # noqa: ANN401 - attributes
    return [pipe(f"p{number}", number, **more) for number in range(count)]


def kinds(comparison: Comparison) -> tuple[int, int, int, int]:
    total = comparison.total
    return total.added.count, total.removed.count, total.moved.count, total.changed.count


def offer(world: World, folder: Path, *features: Feature, **more: Any) -> Staged:  # noqa: ANN401 - options
    """Stage a network and publish it only if it may be."""
    path = folder / "offered.gml"
    if features:
        with path.open("wb") as stream:
            write_answer(stream, Answer(CVR, "x", header(), features))
    return world.upload(CVR, path, **{"approve": False} | more)


class Records:
    """A source of records, which say nothing of the answer as a whole."""

    def __init__(self, features: list[Feature]) -> None:
        self.model = load_model()
        self.findings = Findings()
        self.header = Feature(ANSWER, "")
        self.stated_owner = None
        self._features = features

    def __iter__(self) -> Iterator[Feature]:
        yield from self._features


def organisation(world: World) -> Organisation:
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        return get_owner(connection, CVR)


def ids(world: World, owner: UUID, as_of: datetime | int | None = None) -> set[str]:
    with transaction(world.databases.app, owner) as connection:
        return {feature.gml_id for feature in read_network(connection, owner, as_of)}


def states(world: World, owner: UUID) -> list[str]:
    with transaction(world.databases.app, owner) as connection:
        return [version.state for version in reversed(list_versions(connection, owner))]


@pytest.mark.usefixtures("owner")
def test_the_comparison_tells_what_was_added_removed_moved_and_changed(world: World, tmp_path: Path) -> None:
    first = offer(world, tmp_path, *network())
    assert first.decision.verdict is Verdict.APPROVE
    assert kinds(first.comparison) == (10, 0, 0, 0)
    assert first.comparison.total.after == Amount(10, 100.0)
    moved = [*network()[2:], pipe("p0", 0, shift=3), valve("v", EAST, NORTH, 1)]
    second = offer(world, tmp_path, pipe("new", 20, length=30), *moved)
    assert kinds(second.comparison) == (2, 1, 1, 0)
    types = second.comparison.types
    assert types["Vandledning"].added == Amount(1, 30.0)
    assert types["Vandledning"].removed == Amount(1, 10.0)
    assert types["Vandkomponent"].added.count == 1
    third = offer(world, tmp_path, pipe("new", 20, length=30, fareklasse="farlig"), *moved)
    assert kinds(third.comparison) == (0, 0, 0, 1)
    assert Comparison.from_json(third.comparison.to_json()) == third.comparison


def test_an_unchanged_upload_publishes_nothing_and_says_so(world: World, owner: UUID, tmp_path: Path) -> None:
    offer(world, tmp_path, *network())
    rows = world.counts()
    again = offer(world, tmp_path, *reversed(network()))
    assert again.decision.verdict is Verdict.UNCHANGED
    after = world.counts()
    assert {name for name in rows if rows[name] != after[name]} == {
        *("network_version", "audit_event", "audit_unsealed"),
    }
    assert states(world, owner) == ["published", "discarded"]
    assert after["staged_feature"] == 0


def test_another_contact_in_the_header_is_a_change(world: World, tmp_path: Path, owner: UUID) -> None:
    offer(world, tmp_path, *network())
    path = tmp_path / "offered.gml"
    text_of = path.read_text(encoding="utf-8")
    assert "ler:type>" in text_of
    marked = text_of.replace("</ler:type>", "</ler:type><ler:gyldigTil>2027-01-01</ler:gyldigTil>", 1)
    path.write_text(marked, encoding="utf-8")
    changed = offer(world, tmp_path)
    assert (changed.comparison.header_changed, kinds(changed.comparison)) == (True, (0, 0, 0, 0))
    assert states(world, owner) == ["superseded", "published"]


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        (network(7), "replacement-large-change"),
        ([*network(8), pipe("x", 8), pipe("y", 9)], None),
        ([*network(9), water_pipe("p9", (EAST, NORTH, 1), (EAST + 1, NORTH, 1))], None),
        (
            [pipe(f"p{n}", n, shift=0.1 * n, length=7.0) for n in range(10)],
            "replacement-large-change",
        ),
        ([pipe(f"q{n}", n) for n in range(10)], "replacement-large-change"),
        ([pipe(f"p{n}", n, shift=0.9) for n in range(10)], "replacement-shifted"),
        ([pipe(f"p{n}", n, shift=0.1) for n in range(10)], None),
        ([pipe(f"p{n}", n, shift=0.9 if n % 2 else -0.9) for n in range(10)], None),
        ([pipe(f"p{n}", n, shift=2000.0 + n * 211) for n in range(10)], "replacement-shifted"),
        ([*network(), *(pipe(f"twin{n}", n) for n in range(5))], "replacement-duplicates"),
    ],
)
def test_what_looks_wrong_waits_for_the_owners_word(
    world: World, owner: UUID, tmp_path: Path, features: list[Feature], reason: str | None
) -> None:
    offer(world, tmp_path, *network())
    staged = offer(world, tmp_path, *features)
    assert staged.decision.reasons == ((reason,) if reason else ())
    assert states(world, owner)[1] == ("staged" if reason else "published")
    wanted = {feature.gml_id for feature in (network() if reason else features)}
    assert ids(world, owner) == wanted
    if reason:
        with transaction(world.databases.app, owner) as connection:
            assert approve_version(connection, staged.version_id).feature_count == len(features)
        assert ids(world, owner) == {feature.gml_id for feature in features}


@pytest.mark.parametrize(("policy", "verdict"), [("always", "approve"), ("never", "needs_approval")])
@pytest.mark.usefixtures("owner")
def test_a_policy_decides_what_need_not_be_asked(
    world: World, tmp_path: Path, policy: Any, verdict: str  # noqa: ANN401 - one of three words
) -> None:  # fmt: skip
    offer(world, tmp_path, *network())
    settings = Settings(auto_approve=policy)
    assert offer(world, tmp_path, *network(3), settings=settings).decision.verdict == verdict


def test_nothing_left_is_refused_unless_it_is_confirmed(world: World, owner: UUID, tmp_path: Path) -> None:
    offer(world, tmp_path, *network())
    before = world.counts()
    path = tmp_path / "empty.gml"
    content = (tmp_path / "offered.gml").read_text(encoding="utf-8")
    start, end = content.index("<ler:ledningMember>"), content.rindex("</ler:ledningMember>")
    emptied = content[:start] + content[end + len("</ler:ledningMember>") :]
    path.write_text(
        emptied.replace("ledningsoplysninger udleveret", "ingen ledninger i graveområde"), encoding="utf-8"
    )
    with pytest.raises(RefusedError, match="take all 10 away") as refused:
        world.upload(CVR, path)
    assert refused.value.code == "replacement-empty"
    assert world.counts() == before
    staged = world.upload(CVR, path, confirm_empty=True)
    assert staged.decision.reasons == ("replacement-empty", "replacement-large-change")
    assert ids(world, owner) == set()


def test_a_version_compared_with_an_older_one_cannot_be_published(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    offer(world, tmp_path, *network())
    waiting = offer(world, tmp_path, *network(3))
    offer(world, tmp_path, *network(), pipe("new", 11))
    with pytest.raises(RefusedError) as refused, transaction(world.databases.app, owner) as connection:
        approve_version(connection, waiting.version_id)
    assert refused.value.code == "version-stale"
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        assert sweep_staging(connection, 30).versions == 1
    assert states(world, owner) == ["superseded", "discarded", "published"]
    assert world.counts()["staged_feature"] == 0


def test_a_discarded_version_is_gone_and_the_network_as_it_was(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    offer(world, tmp_path, *network())
    waiting = offer(world, tmp_path, *network(3))
    with transaction(world.databases.app, owner) as connection:
        discard_version(connection, waiting.version_id)
    with pytest.raises(RefusedError), transaction(world.databases.app, owner) as connection:
        approve_version(connection, waiting.version_id)
    assert ids(world, owner) == {feature.gml_id for feature in network()}
    assert world.counts()["staged_feature"] == 0


def test_a_delta_adds_replaces_and_deletes_and_leaves_the_rest(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    offer(world, tmp_path, *network())
    upserts = pipe("new", 11), pipe("p0", 0, shift=2)
    delta = offer(world, tmp_path, *upserts, mode=Mode.DELTA, deletes=["p9"])
    assert (kinds(delta.comparison), delta.feature_count) == ((1, 1, 1, 0), 10)
    assert ids(world, owner) == {"new", *(f"p{n}" for n in range(9))}
    again = offer(world, tmp_path, *network()[1:9], pipe("new", 11), pipe("p0", 0, shift=2))
    assert again.decision.verdict is Verdict.UNCHANGED


def test_a_delta_is_judged_by_the_network_that_it_makes(world: World, owner: UUID, tmp_path: Path) -> None:
    offer(world, tmp_path, *network(), valve("v", EAST, NORTH, 1))
    joined = pipe("new", 11, startkomponent="v")
    assert offer(world, tmp_path, joined, mode=Mode.DELTA).comparison.total.added.count == 1
    for deletes, features, code in (
        (["v"], [pipe("other", 12)], "ManglendeGmlIdHenvisningRule"),
        (["nobody"], [pipe("other", 12)], "delete-unknown"),
        (["p1"], [pipe("p1", 12)], "delete-contradicted"),
        ([], [pipe("other", 12, slutkomponent="nobody")], "ManglendeGmlIdHenvisningRule"),
        ([], [pipe("other", 12, slutkomponent="p1")], "reference-wrong-type"),
    ):
        before = world.counts()
        with pytest.raises(NetworkRefusedError) as refused:
            offer(world, tmp_path, *features, mode=Mode.DELTA, deletes=deletes)
        assert {code for _, code in refused.value.findings.counts} == {code}
        assert world.counts() == before
    assert ids(world, owner) == {"new", "v", *(f"p{n}" for n in range(10))}


def test_a_delta_of_another_model_than_its_network_is_refused(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    offer(world, tmp_path, *network())
    path = tmp_path / "old.gml"
    with path.open("wb") as stream:
        write_answer(stream, Answer(CVR, "x", header(), [pipe("new", 11)]), load_model("2.0.0"))
    with pytest.raises(NetworkRefusedError) as refused:
        world.upload(CVR, path, mode=Mode.DELTA)
    assert {code for _, code in refused.value.findings.counts} == {"delta-model"}
    assert states(world, owner) == ["published"]


@pytest.mark.parametrize("mode", Mode)
def test_a_file_of_records_leaves_what_the_network_says_of_itself(
    world: World, owner: UUID, tmp_path: Path, mode: Mode
) -> None:
    offer(world, tmp_path, *network())
    with transaction(world.databases.app, owner) as connection:
        before = list_versions(connection, owner)[0].header
        source = Records([pipe("new", 11)])
        staged = stage_network(
            connection,
            organisation(world),
            source,
            source_name="x.csv",
            source_sha256="0" * 64,
            settings=Settings(),
            mode=mode,
        )
        assert before["attributes"]
        assert list_versions(connection, owner)[0].header == before
        assert not staged.comparison.header_changed


@pytest.mark.usefixtures("owner")
def test_a_delta_of_nothing_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        offer(world, tmp_path, *network(), mode=Mode.DELTA)
    assert refused.value.code == "delta-without-network"


def test_the_network_is_read_as_it_was_at_a_version_or_a_time(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    contents = [
        network(),
        [*network(9), pipe("new", 11)],
        [*network(8), pipe("new", 11, fareklasse="farlig")],
    ]
    with pytest.raises(NotFoundError):
        ids(world, owner)
    times = []
    for features in contents:
        times.append(datetime.now(UTC))
        assert offer(world, tmp_path, *features).decision.verdict is Verdict.APPROVE
    for number, features in enumerate(contents, start=1):
        wanted = {feature.gml_id for feature in features}
        assert ids(world, owner, number) == wanted
        after = times[number] if number < len(times) else datetime.now(UTC)
        assert ids(world, owner, after) == wanted
    with pytest.raises(NotFoundError):
        ids(world, owner, times[0])
    with pytest.raises(NotFoundError):
        ids(world, owner, 4)
    with pytest.raises(RefusedError):
        ids(world, owner, datetime(2026, 1, 1))  # noqa: DTZ001 - without a zone, which is the point
    with transaction(world.databases.app, owner) as connection:
        found = {f.gml_id: f for f in read_network(connection, owner, 3)}
        assert found["new"].attributes["fareklasse"] == "farlig"
        assert {f.gml_id: f for f in read_network(connection, owner, 2)}["new"].attributes["fareklasse"] == "ikke farlig"  # fmt: skip
    other = world.owner("87654321", name="other", area=None)
    with pytest.raises(NotFoundError), transaction(world.databases.app, other) as connection:
        list(read_network(connection, owner, 1))


def age(world: World, days: int) -> None:
    with world.database.connect() as connection:
        connection.execute(
            "UPDATE ler.network_version SET published_at = published_at - make_interval(days => %s)", [days]
        )


def test_a_purge_keeps_what_answers_requests_and_what_an_answer_refers_to(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    area = shapely.box(EAST - 1, NORTH - 1, EAST + 100, NORTH + 100)
    offer(world, tmp_path, *network(), pipe("only-in-1", 11))
    offer(world, tmp_path, *network(), pipe("only-in-2", 11))
    asked = world.ask(area, tmp_path / "out")
    offer(world, tmp_path, *network(), pipe("only-in-3", 11))
    offer(world, tmp_path, *network(), pipe("only-in-4", 11))
    with transaction(world.databases.app, owner) as connection:
        assert purge_versions(connection, 30).versions == 0
    age(world, 100)
    other = world.owner("87654321", name="other", area=None)
    with transaction(world.databases.app, other) as connection:
        assert purge_versions(connection, 30).versions == 0
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        purged = purge_versions(connection, 30)
    assert (purged.versions, purged.features) == (2, 2)
    for number, kept in ((2, True), (4, True), (1, False), (3, False)):
        if kept:
            assert ids(world, owner, number) == {f"only-in-{number}", *(f.gml_id for f in network())}
        else:
            with pytest.raises(RefusedError) as refused:
                ids(world, owner, number)
            assert refused.value.code == "version-purged"
    assert asked.packages[0].feature_count == 11
    with pytest.raises(RefusedError), transaction(world.databases.app, owner) as connection:
        purge_versions(connection, 0)


def test_a_version_that_ended_yesterday_is_kept_however_old_it_is(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    offer(world, tmp_path, *network())
    age(world, 1000)
    offer(world, tmp_path, *network(9))
    with transaction(world.databases.app, owner) as connection:
        assert purge_versions(connection, 30).versions == 0
    assert len(ids(world, owner, 1)) == 10


def test_a_sweep_discards_what_a_crash_took_and_what_nobody_decided_on(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    offer(world, tmp_path, *network())
    waiting = offer(world, tmp_path, *network(3))
    with transaction(world.databases.app, owner) as connection:
        assert sweep_staging(connection, 30).versions == 0
    with world.database.connect() as connection_:
        connection_.execute("TRUNCATE ler.staged_feature")
    with pytest.raises(RefusedError) as refused, transaction(world.databases.app, owner) as connection:
        approve_version(connection, waiting.version_id)
    assert refused.value.code == "staging-lost"
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        assert sweep_staging(connection, 30).versions == 1
    offer(world, tmp_path, *network(3))
    with world.database.connect() as connection_:
        connection_.execute("UPDATE ler.network_version SET created_at = created_at - interval '40 days'")
    with transaction(world.databases.app, PLATFORM_OPERATOR) as connection:
        swept = sweep_staging(connection, 30)
    assert (swept.versions, swept.features) == (1, 3)
    assert ids(world, owner) == {feature.gml_id for feature in network()}


def test_the_map_tells_each_kind_of_change_by_more_than_its_colour(
    world: World, owner: UUID, tmp_path: Path
) -> None:
    offer(world, tmp_path, *network())
    features = [pipe("new", 11), pipe("p0", 0, shift=4), pipe("p1", 1, fareklasse="farlig"), *network()[2:9]]
    staged = offer(world, tmp_path, *features, settings=Settings(auto_approve="never"))
    with transaction(world.databases.app, owner) as connection:
        before = staged_changes(connection, staged.version_id)
    drawn = draw_changes(before, staged.comparison, "a <b>")
    assert {kind: len(found) for kind, found in before.now.items()} == dict.fromkeys(
        ("added", "removed", "moved", "changed"), 1
    )
    for kind in ("added", "removed", "moved", "changed"):
        assert f">{kind}: 1, 0.010 km<" in drawn
    assert "a &lt;b&gt;" in drawn
    assert "<b>" not in drawn
    with transaction(world.databases.app, owner) as connection:
        approve_version(connection, staged.version_id)
        dataset = connection.execute(text("SELECT id FROM ler.network_dataset")).scalar_one()
        after = version_changes(connection, dataset, 1, 2)
    assert after == before
