"""The predicates of the test data in CQL2's annex, put to our own features; what they find is worked out by the oracle.

The annex's own data are of the whole world, ours are of Denmark in EPSG:25832, as all that the platform keeps.
"""

_TIME = "TIMESTAMP('2022-04-16T10:13:19Z')"
_BOX = "BBOX(10.3,55.30,10.35,55.36)"
_AREA = "POLYGON((10.3 55.3,10.35 55.3,10.35 55.36,10.3 55.36,10.3 55.3))"
_HOLED = "POLYGON((10.2 55.2,10.5 55.2,10.5 55.5,10.2 55.5,10.2 55.2),(10.3 55.3,10.35 55.3,10.35 55.36,10.3 55.3))"
_PATH = "LINESTRING(10.28 55.30,10.37 55.36)"
_SPAN = "interval('2022-04-16T10:13:19Z','2022-04-16T10:14:19Z')"
_WEEK = "interval('2022-04-14','2022-04-17')"
_EDGES = ("-180 -90", "180 -90", "180 90", "-180 90", "-180 -90")
WORLD = f"POLYGON(({','.join(_EDGES)}))"

_COMPARED = ("=", ">=", ">", "<=", "<", "<>")
_ON_INSTANTS = ("t_after", "t_before", "t_disjoint", "t_equals", "t_intersects")
_ON_INTERVALS = (
    *_ON_INSTANTS,
    *("T_CONTAINS", "T_DURING", "T_FINISHEDBY", "T_FINISHES", "T_MEETS", "T_METBY", "T_OVERLAPPEDBY"),
    *("T_OVERLAPS", "T_STARTEDBY", "T_STARTS"),
)


def _each(form: str, *names: str) -> tuple[str, ...]:
    return tuple(form.format(name) for name in names)


_BASIC = (
    *_each("name{}'København'", *_COMPARED),
    *_each("n{}1038288", *_COMPARED),
    *_each("day{}DATE('2022-04-16')", *_COMPARED),
    *_each(f"start{{}}{_TIME}", *_COMPARED),
    *_each("{} IS NULL", "name", "n", "day", "start", "ok", "geom", "tags", '"last day"'),
    *_each("{} IS NOT NULL", "name", "n", "day", "start", "ok", "geom", "tags", '"last day"'),
    *("ok=true", "ok=false"),
)
_SPATIAL = (
    *_each("{}", *(f"S_DISJOINT(geom,{one})" for one in (_BOX, _AREA, _PATH, "POINT(10.3 55.3)"))),
    *("S_INTERSECTS(geom," + one + ")" for one in (_AREA, _PATH)),
    *("S_TOUCHES(geom," + one + ")" for one in (_AREA, _PATH, "POINT(10.3 55.3)")),
    *("S_CROSSES(geom," + one + ")" for one in (_BOX, _PATH)),
    *("S_WITHIN(geom," + one + ")" for one in (_BOX, _AREA, "BBOX(-180,-90,10.35,90)")),
    *("S_CONTAINS(geom," + one + ")" for one in ("BBOX(10.301,55.331,10.302,55.332)", "POINT(10.3 55.34)")),
    *("S_OVERLAPS(geom," + one + ")" for one in (_BOX, "BBOX(-180,-90,10.35,90)")),
    "S_EQUALS(geom,POINT(10.3 55.3))",
)
_PLUS = (
    "LINESTRING(-180 55.3, 180 55.3)",
    "MULTILINESTRING((-180 55.31, 10.3 55.31), (10.3 55.34, 180 55.34))",
    _HOLED,
    f"MULTIPOLYGON({_HOLED.removeprefix('POLYGON')},((11 55,12 55,12 56,11 55)))",
    f"GEOMETRYCOLLECTION(POINT(7.02 49.92),{_AREA})",
)
_TEMPORAL = (
    *_each("{}(day,date('2022-04-16'))", *_ON_INSTANTS),
    *_each(f"{{}}(day,{_WEEK})", *_ON_INSTANTS),
    "t_equals(day,interval('2022-04-16','2022-04-16'))",
    *_each(f"{{}}(start,{_TIME})", *_ON_INSTANTS),
    *_each(f"{{}}(start,{_SPAN})", *_ON_INSTANTS),
    *_each(f"{{}}(interval(start,till),{_SPAN})", *_ON_INTERVALS),
    *_each(f'{{}}(interval(day,"last day"),{_WEEK})', *_ON_INTERVALS),
    "t_after(interval(start,till),interval('..','2022-04-16T10:13:19Z'))",
    "t_before(interval(start,till),interval('2022-04-17T00:00:00Z','..'))",
)
_FOLDED_NAMES = ("Kiev", "kobenhavn", "Berlin", "athens", "foo")


def _in(form: str) -> str:
    return ", ".join(form.format(name) for name in _FOLDED_NAMES)


PREDICATES: dict[str, tuple[str, ...]] = {
    "basic-cql2": _BASIC,
    "advanced-comparison-operators": (
        *("name LIKE 'B_r%'", "name NOT LIKE 'B_r%'", "m between 1 and 5", "m not between 1 and 5"),
        f"name IN ({_in("'{}'")})",
        f"name NOT IN ({_in("'{}'")})",
        *("n in (1,1038288,3,4.5)", "n not in (1,1038288,3,4.5)", "ok in (true)", "ok not in (false)"),
        *("day in (DATE('2022-04-15'),DATE('2022-04-16'))", "day not in (DATE('2022-04-15'))"),
        *(f"start in ({_TIME})", f"start not in ({_TIME})"),
    ),
    "case-insensitive-comparison": (
        *_each("CASEI(name)=casei('{}')", "KIEV", "kiev", "Kiev", "København", "københavn", "KØBENHAVN"),
        *_each("CASEI(name) LIKE casei('{}')", "B_r%", "b_r%", "B_R%"),
        f"CASEI(name) IN ({_in("casei('{}')")})",
    ),
    "accent-insensitive-comparison": (
        *_each("ACCENTI(name)=accenti('{}')", "København", "Kobenhavn", "Kiev", "Æblerød"),
        *_each("ACCENTI(CASEI(name))=accenti(casei('{}'))", "københavn", "kobenhavn", "KOBENHAVN"),
        "ACCENTI(name) LIKE accenti('Ko%')",
        *_each("ACCENTI(CASEI(name)) LIKE accenti(casei('{}'))", "kØ%", "kO%"),
        f"ACCENTI(CASEI(name)) IN ({_in("accenti(casei('{}'))")})",
    ),
    "basic-spatial-functions": (
        f"S_INTERSECTS(geom,{_BOX})",
        "S_INTERSECTS(geom,BBOX(150,-90,-150,90))",
        "S_INTERSECTS(geom,BBOX(-180,-90,10.35,90))",
        "S_INTERSECTS(geom,POINT(10.3 55.34))",
        f"S_INTERSECTS(geom,{_BOX}) and S_INTERSECTS(geom,BBOX(10.32,55.30,10.4,60))",
        f"S_INTERSECTS(geom,{_BOX}) and not S_INTERSECTS(geom,BBOX(10.32,55.30,10.4,60))",
        f"S_INTERSECTS(geom,{_BOX}) or S_INTERSECTS(geom,BBOX(-90,40,-60,50))",
    ),
    "basic-spatial-functions-plus": (
        *(f"S_INTERSECTS(geom,{one})" for one in _PLUS),
        f"S_INTERSECTS(geom,{_HOLED}) and not S_INTERSECTS(geom,{_PATH})",
    ),
    "spatial-functions": _SPATIAL,
    "temporal-functions": _TEMPORAL,
    "array-functions": tuple(
        f"{function}(tags,({members}))"
        for function in ("A_CONTAINS", "A_CONTAINEDBY", "A_EQUALS", "A_OVERLAPS")
        for members in ("'el','gas'", "'vand','it''s'")
    ),
    "property-property": (
        *_each("'København'{}name", *_COMPARED),
        *_each("name{}nameascii", *_COMPARED),
        *_each("1038288{}n", *_COMPARED),
        *_each("x{}y", *_COMPARED),
        *_each("start{}till", *_COMPARED),
        *("'København' LIKE 'K_benhavn'", "'København' NOT LIKE 'K_benhavn'"),
        *("m between x and y", "m not between x and y", "S_INTERSECTS(geom,spot)"),
        *(
            f"S_{name}({_AREA},geom)"
            for name in ("INTERSECTS", "DISJOINT", "TOUCHES", "CONTAINS", "OVERLAPS")
        ),
        *(f"S_WITHIN({one},geom)" for one in ("POINT(10.3 55.34)", "LINESTRING(10.3 55.34,10.301 55.34)")),
        *_each("{}(date('2022-04-16'),day)", *_ON_INSTANTS),
        *_each(f"{{}}({_SPAN},start)", *_ON_INSTANTS),
        *_each(f"{{}}({_SPAN},interval(start,till))", *_ON_INTERVALS),
    ),
    "arithmetic": (
        *("n=1038280+8", "n>=1038290-2*2^0", "n>1038290-20/10", "n>1038290-21 div 10", "n>1038290-5%2"),
        *("n<=1038200+8*11", "n<1038280+2^3", "n<>1038290-2^1", "1038280+8=n"),
        *("m between 4/4 and (3*(1+1))", "m not between 4/4 and (3*(1+1))", "m in (1+1,2*3,1+3*2)"),
        *("m+1=4", "m*2>y", "x/m<0.5", "y-x>=m", "m div 2=1", "m%3=1", "m^2>9", "-m=3"),
    ),
}
"""Of each class of the annex that has predicates."""
