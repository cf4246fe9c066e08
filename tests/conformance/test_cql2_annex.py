"""The 54 tests of the annex of CQL2 (OGC 21-065r2), named by their identifiers, on PostGIS.

Each predicate is written as text and as the JSON that another reader of CQL2 makes of it; both find the same features,
and those that the oracle finds.
"""

import json
import random
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import cql2
import pytest

from geoapi.ogc.cql2 import FUNCTIONS, FilterError, Kind, compile_filter, queryables_schema
from tests.conformance.cql2_predicates import PREDICATES, WORLD
from tests.cql2_oracle import Oracle
from tests.cql2_world import FEATURES, KINDS, QUERYABLES, Table, features, features_in_table
from tests.databases import SharedCluster

ANNEX = {
    "basic-cql2": "basic-test comparison is-null boolean test-data logical",
    "advanced-comparison-operators": "like between in test-data logical",
    "case-insensitive-comparison": "casei casei-like test-data logical",
    "accent-insensitive-comparison": "accenti accenti-like accenti-casei accenti-casei-like test-data logical",
    "basic-spatial-functions": "s_intersects test-data logical",
    "basic-spatial-functions-plus": "s_intersects test-data",
    "spatial-functions": "s_intersects s_disjoint s_equals s_touches s_crosses s_within s_contains s_overlaps test-data logical",
    "temporal-functions": "temporal-functions-1 temporal-functions-2 test-data logical",
    "array-functions": "array-predicates logical",
    "property-property": "comparison-value-property comparison-property-property comparison-value-value test-data logical",
    "functions": "functions",
    "arithmetic": "arithmetic test-data logical",
    "cql2-text": "validate escaping",
    "cql2-json": "validate",
}
IDENTIFIERS = [f"/conf/{name}/{test}" for name, tests in ANNEX.items() for test in tests.split()]
VALUES = {
    Kind.STRING: "'foo'",
    Kind.BOOLEAN: "true",
    Kind.NUMBER: "3.14",
    Kind.INTEGER: "1",
    Kind.DATETIME: "TIMESTAMP('2022-04-14T14:48:46Z')",
    Kind.DATE: "DATE('2022-04-14')",
}
SCALARS = {f'"{name}"': VALUES[kind] for name, kind in KINDS.items() if kind in VALUES}
COMPARED = ("=", "<>", ">", "<", ">=", "<=")
BOX, LINE, POINT = "BBOX(-180,-90,180,90)", "LINESTRING(7 50, 10 51)", "POINT(7.02 49.92)"


class Service:
    """What answers filters."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._oracle = Oracle(features())

    def __call__(self, text: str) -> set[int]:
        """Ids that a filter finds; the same as text, as JSON and by the oracle."""
        tree = cql2.parse_text(text).to_json()
        made = [
            compile_filter(text, QUERYABLES, lang="cql2-text"),
            compile_filter(tree, QUERYABLES, lang="cql2-json"),
        ]
        found, again = (self._table.ids(one.sql, one.values) for one in made)
        assert found == again == self._oracle.ids(tree), text
        return set(found)

    def refuses(self, text: str) -> None:
        with pytest.raises(FilterError):
            compile_filter(text, QUERYABLES, lang="cql2-text")


type Check = Callable[[Service], None]
CHECKS: dict[str, Check] = {}


def conf(identifier: str) -> Callable[[Check], Check]:
    def enter(check: Check) -> Check:
        CHECKS[f"/conf/{identifier}"] = check
        return check

    return enter


@pytest.fixture(scope="module")
def service(shared_cluster: SharedCluster, empty_template: str) -> Iterator[Service]:
    with features_in_table(shared_cluster, empty_template, features()) as table:
        yield Service(table)


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_annex(service: Service, identifier: str) -> None:
    name, test = identifier.split("/")[2:]
    if test == "test-data":
        found = [service(predicate) for predicate in PREDICATES[name]]
        assert any(found)
        assert any(len(one) < FEATURES for one in found)
    elif test == "logical":
        logical(service, name)
    else:
        CHECKS[identifier](service)


def test_the_annex_has_54_tests() -> None:
    assert len(IDENTIFIERS) == 54


def logical(service: Service, name: str) -> None:
    chance = random.Random(name)
    stored = [*PREDICATES["basic-cql2"], *PREDICATES[name]]
    for _ in range(10):
        a, b, c, d = (f"({one})" for one in chance.sample(stored, 4))
        service(f"((NOT {a} AND {b}) OR ({c} and NOT {d}) or not ({a} AND {d}))")


def disjoint_pairs(found: dict[str, set[int]]) -> None:
    assert not found["="] & found["<>"]
    assert not found[">"] & found["<="]
    assert not found["<"] & found[">="]


@conf("basic-cql2/basic-test")
def queryables_tell_their_type(_: Service) -> None:
    told = queryables_schema(QUERYABLES, address="https://example.org/queryables", title="x")["properties"]
    assert told.keys() == QUERYABLES.keys()
    assert all("type" in one or one["format"] == "geometry-any" for one in told.values())


@conf("basic-cql2/comparison")
def property_value(service: Service) -> None:
    for name, value in SCALARS.items():
        disjoint_pairs({op: service(f"{name} {op} {value}") for op in COMPARED})


@conf("basic-cql2/is-null")
def is_null(service: Service) -> None:
    for name in KINDS:
        null, other = service(f'"{name}" IS NULL'), service(f'"{name}" is not null')
        assert not null & other
        assert len(null | other) == FEATURES


@conf("basic-cql2/boolean")
def boolean(service: Service) -> None:
    assert len(service("true")) == FEATURES
    assert not service("false")


@conf("advanced-comparison-operators/like")
def like(service: Service) -> None:
    some, none = service("name LIKE '_%'"), service("name like ''")
    assert some
    assert none
    assert not some & none
    assert service("name LIKE '%'") == service("name like '%%'") == some | none
    service(r"name like '\%\_'")


@conf("advanced-comparison-operators/between")
def between(service: Service) -> None:
    for name in ("n", "m", "x", "y"):
        assert service(f"{name} BETWEEN 0 AND 100")
        assert not service(f"{name} between 100.0 and 1.0")


@conf("advanced-comparison-operators/in")
def within_list(service: Service) -> None:
    assert service("m IN (1, 2, 3)")
    assert service("name in ('foo', 'bar')")
    assert service("ok in (true)")
    service("start in ('2022-04-14T14:52:56Z', '2022-04-14T15:52:56Z')")
    assert service("day in ('2022-04-14', '2022-04-15')")


@conf("case-insensitive-comparison/casei")
def casei(service: Service) -> None:
    assert not service("CASEI(name) = casei('foo')") & service("CASEI(name) <> casei('FOO')")


@conf("case-insensitive-comparison/casei-like")
def casei_like(service: Service) -> None:
    assert service("CASEI(name) LIKE casei('foo%')") == service("CASEI(name) LIKE casei('FOO%')") != set()


@conf("accent-insensitive-comparison/accenti")
def accenti(service: Service) -> None:
    assert not service("ACCENTI(name) = accenti('äöüéáí')") & service("ACCENTI(name) <> accenti('aoueai')")


@conf("accent-insensitive-comparison/accenti-like")
def accenti_like(service: Service) -> None:
    assert service("ACCENTI(name) LIKE accenti('Ä%')") == service("ACCENTI(name) LIKE accenti('A%')") != set()


@conf("accent-insensitive-comparison/accenti-casei")
def accenti_casei(service: Service) -> None:
    found = [service(f"ACCENTI(CASEI(name)) = accenti(casei('{one}'))") for one in ("ÉCLAIR", "eclair")]
    assert found[0] == found[1] != set()


@conf("accent-insensitive-comparison/accenti-casei-like")
def accenti_casei_like(service: Service) -> None:
    found = [service(f"ACCENTI(CASEI(name)) LIKE accenti(casei('{one}'))") for one in ("Ä%", "a%")]
    assert found[0] == found[1] != set()


@conf("basic-spatial-functions/s_intersects")
def basic_intersects(service: Service) -> None:
    assert service(f"S_INTERSECTS(geom,{BOX})")
    service(f"S_INTERSECTS(geom,{POINT})")
    service.refuses("S_INTERSECTS(geom,POINT(90 180))")
    service("S_INTERSECTS(geom,BBOX(-180,-90,-90,90)) AND S_INTERSECTS(geom,BBOX(90,-90,180,90))")


@conf("basic-spatial-functions-plus/s_intersects")
def more_literals(service: Service) -> None:
    service.refuses("S_INTERSECTS(geom,MULTIPOINT(7.02 49.92, 90 180))")
    for literal in (
        "LINESTRING(-180 -45, 0 -45)",
        "MULTILINESTRING((-180 -45, 0 -45), (0 45, 180 45))",
        "POLYGON((-180 -90, -90 -90, -90 90, -180 90, -180 -90), (-120 -50, -100 -50, -100 -40, -120 -40, -120 -50))",
        "MULTIPOLYGON(((-180 -90, -90 -90, -90 90, -180 90, -180 -90)),((0 0, 10 0, 10 10, 0 10, 0 0)))",
        "GEOMETRYCOLLECTION(POINT(7.02 49.92), POLYGON((0 0, 10 0, 10 10, 0 10, 0 0)))",
    ):
        assert not service(f"S_INTERSECTS(geom,{literal})")


@conf("spatial-functions/s_intersects")
def intersects(service: Service) -> None:
    found = [service(f"S_INTERSECTS(geom,{one})") for one in (BOX, WORLD, LINE, POINT)]
    assert found[0] == found[1] == service("geom IS NOT NULL")
    service.refuses("S_INTERSECTS(geom,POINT(90 180))")


@conf("spatial-functions/s_disjoint")
def disjoint(service: Service) -> None:
    assert not service(f"S_DISJOINT(geom,{BOX})")
    assert not service(f"S_DISJOINT(geom,{WORLD})")
    for one in (LINE, POINT):
        assert not service(f"S_DISJOINT(geom,{one})") & service(f"S_INTERSECTS(geom,{one})")
    service.refuses("S_DISJOINT(geom,POINT(90 180))")


@conf("spatial-functions/s_equals")
def equals(service: Service) -> None:
    assert service(f"S_EQUALS(geom,{WORLD})") == service(f"S_EQUALS(geom,{LINE})") == set()
    service(f"S_EQUALS(geom,{POINT})")


@conf("spatial-functions/s_touches")
def touches(service: Service) -> None:
    assert service(f"S_TOUCHES(geom,{BOX})") == service(f"S_TOUCHES(geom,{WORLD})") == set()
    service(f"S_TOUCHES(geom,{LINE})")


@conf("spatial-functions/s_crosses")
def crosses(service: Service) -> None:
    for one in (BOX, WORLD, LINE):
        service(f"S_CROSSES(geom,{one})")


@conf("spatial-functions/s_within")
def within(service: Service) -> None:
    assert (
        service(f"S_WITHIN(geom,{BOX})") == service(f"S_WITHIN(geom,{WORLD})") == service("geom IS NOT NULL")
    )
    for one in (LINE, "MULTIPOINT(7 50,10 51)"):
        service(f"S_WITHIN(geom,{one})")


@conf("spatial-functions/s_contains")
def contains(service: Service) -> None:
    assert service(f"S_CONTAINS(geom,{BOX})") == service(f"S_CONTAINS(geom,{WORLD})") == set()
    for one in (LINE, "MULTIPOINT(7 50,10 51)"):
        assert not service(f"S_CONTAINS(geom,{one})") & service(f"S_WITHIN(geom,{one})")


@conf("spatial-functions/s_overlaps")
def overlaps(service: Service) -> None:
    for one in ("MULTIPOINT(7 50,10 51)", LINE, WORLD):
        service(f"S_OVERLAPS(geom,{one})")


@conf("temporal-functions/temporal-functions-1")
def instants(service: Service) -> None:
    _in_time(service, "{}(start,TIMESTAMP('2022-04-24T07:59:57Z'))")
    _in_time(service, "{}(start,INTERVAL('2021-01-01T00:00:00Z','2021-12-31T23:59:59Z'))")
    _in_time(service, "{}(day,DATE('2022-04-24'))")
    _in_time(service, "{}(day,INTERVAL('2021-01-01','2021-12-31'))")
    for only_of_intervals in ("T_DURING", "T_MEETS"):
        service.refuses(f"{only_of_intervals}(day,INTERVAL('2021-01-01','2021-12-31'))")


def _in_time(service: Service, form: str) -> None:
    apart, equal, meeting = (service(form.format(f"T_{one}")) for one in ("DISJOINT", "EQUALS", "INTERSECTS"))
    before, after = (service(form.format(f"T_{one}")) for one in ("BEFORE", "AFTER"))
    assert apart == before | after
    assert not apart & meeting
    assert equal <= meeting


@conf("temporal-functions/temporal-functions-2")
def intervals(service: Service) -> None:
    names = [name for name in FUNCTIONS if name.startswith("t_")]
    assert len(names) == 15
    for name in names:
        service(f"{name}(INTERVAL(start,till),INTERVAL('2021-01-01T00:00:00Z','2021-12-31T23:59:59Z'))")
        service(f"{name}(INTERVAL(day,\"last day\"),INTERVAL('2021-01-01','2021-12-31'))")


@conf("array-functions/array-predicates")
def arrays(service: Service) -> None:
    # The annex writes its texts in double quotes, which CQL2 has for names of properties.
    for predicate in PREDICATES["array-functions"]:
        service(predicate)
    assert service("A_EQUALS(tags,('el','gas'))") == service("A_EQUALS(('gas','el'),tags)")


@conf("property-property/comparison-value-property")
def value_property(service: Service) -> None:
    for name, value in SCALARS.items():
        disjoint_pairs({op: service(f"{value} {op} {name}") for op in COMPARED})


@conf("property-property/comparison-property-property")
def property_property(service: Service) -> None:
    for name in SCALARS:
        _with_itself({op: service(f"{name} {op} {name}") for op in COMPARED})


@conf("property-property/comparison-value-value")
def value_value(service: Service) -> None:
    for value in VALUES.values():
        _with_itself({op: service(f"{value} {op} {value}") for op in COMPARED})


def _with_itself(found: dict[str, set[int]]) -> None:
    assert found["<>"] == found["<"] == found[">"] == set()
    assert found["="] == found[">="] == found["<="] != set()


@conf("functions/functions")
def functions(service: Service) -> None:
    """No function is offered beyond those of the standard, and a refusal names them all."""
    with pytest.raises(FilterError, match=re.escape(", ".join(FUNCTIONS))):
        compile_filter("buffer(geom,10) = 1", QUERYABLES, lang="cql2-text")
    service("casei(accenti(name)) <> 'x'")


@conf("arithmetic/arithmetic")
def arithmetic(service: Service) -> None:
    for name in ("n", "m", "x", "y"):
        for form in ("{}+1>2", "{}-0.5<{}", "{}*{}>=4", "{}/2<>1", "{}/{}=1", "{}^2>3", "{} div 3=0"):
            service(form.format(name, name))


@conf("cql2-text/validate")
def text_is_read(service: Service) -> None:
    for predicates in PREDICATES.values():
        for one, other in pairwise(predicates[:4]):
            service(f"{one} and ({other})")


@conf("cql2-text/escaping")
def escapes(_: Service) -> None:
    made = compile_filter(r"name = 'a''b\'c\a\b\t\n\v\f\r'", QUERYABLES, lang="cql2-text")
    assert made.values == {"f0": "a'b'c\a\b\t\n\v\f\r"}


@conf("cql2-json/validate")
def json_is_valid(_: Service) -> None:
    """The one form of every filter is valid by the schema of CQL2 JSON."""
    for predicates in PREDICATES.values():
        for predicate in predicates[::6]:
            made = json.loads(compile_filter(predicate, QUERYABLES, lang="cql2-text").canonical)
            cql2.parse_json(json.dumps(made.get("filter", made))).validate()
    with pytest.raises(cql2.ValidationError):
        cql2.parse_json('{"op": "isNull", "args": []}').validate()
