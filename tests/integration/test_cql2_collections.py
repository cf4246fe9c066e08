"""Every queryable of every collection, asked in each way that its kind allows, on the platform's own tables."""

from collections.abc import Iterator

from geoapi.ogc.collections import all_collections
from geoapi.ogc.cql2 import Kind, Queryable, compile_filter
from tests.databases import Database

VALUES = {
    Kind.STRING: "'a'",
    Kind.INTEGER: "1",
    Kind.NUMBER: "1.5",
    Kind.BOOLEAN: "true",
    Kind.DATE: "DATE('2026-12-01')",
    Kind.DATETIME: "TIMESTAMP('2026-12-01T12:00:00Z')",
}
BY_KIND = {
    Kind.STRING: ("casei({0}) LIKE casei('a%')", "accenti({0}) = accenti('a')"),
    Kind.INTEGER: ("{0} * 2 + 1 > 3", "{0} % 2 = 1"),
    Kind.NUMBER: ("{0} * 2 / {0} > 3",),
    Kind.BOOLEAN: ("{0}",),
    Kind.DATE: ("T_AFTER({0}, DATE('2026-12-01'))",),
    Kind.DATETIME: ("T_DURING(INTERVAL({0}, {0}), INTERVAL('2026-12-01T12:00:00Z', '..'))",),
    Kind.STRINGS: ("A_EQUALS({0}, ('a', 'b'))", "A_OVERLAPS({0}, {0})"),
    Kind.GEOMETRY: ("S_INTERSECTS({0}, BBOX(10, 55, 11, 56))", "S_TOUCHES({0}, POINT(10 55))"),
}


def ways(queryable: Queryable) -> Iterator[str]:
    name, value = f'"{queryable.name}"', VALUES.get(queryable.kind)
    yield f"{name} IS NULL"
    if value:
        yield from (f"{name} {op} {value}" for op in ("=", "<", "<>"))
        yield f"{name} IN ({value})"
    yield from (form.format(name) for form in BY_KIND[queryable.kind])


def test_every_queryable_can_be_asked(database: Database) -> None:
    asked = set()
    with database.connect() as connection:
        for collection in all_collections().values():
            conditions: list[str] = []
            values: dict[str, object] = {}
            for queryable in collection.queryables.values():
                for text in ways(queryable):
                    made = compile_filter(text, collection.queryables, lang="cql2-text")
                    prefix = f"p{len(conditions)}_"
                    conditions.append(made.sql.replace("%(f", f"%({prefix}f"))
                    values |= {f"{prefix}{name}": value for name, value in made.values.items()}
                asked.add(queryable.kind)
            query = f"SELECT {', '.join(conditions)} FROM {collection.source} AS f"  # noqa: S608 - what is tested
            connection.execute(query.encode(), values)
    assert asked >= {Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.GEOMETRY}
