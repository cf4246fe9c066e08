-- How far a contained line reaches out of the trace or line that it lies in. A line may be longer than what it lies in, as
-- a cable is that passes through a duct under a road: then the duct must lie along it, wholly.
--
-- A buffer lies inside the true distance, so what it covers is inside; only what it does not cover is measured, metre
-- by metre.
WITH pair AS MATERIALIZED (
    SELECT c.holder, c.seq, h.gml_id AS holder_id, ST_Force2D(h.geom) AS holder_geom, ST_Force2D(l.geom) AS geom,
        CASE c.holder_kind
            WHEN 'trace' THEN
                coalesce(h.width_m / 2, %(trace_half_width_m)s) + greatest(h.accuracy_m, l.accuracy_m)
            ELSE coalesce(h.outer_width_m / 2, %(duct_half_width_m)s) + %(duct_tolerance_m)s
        END AS allowed_m
    FROM pg_temp.ler_check_contained AS c
    JOIN pg_temp.ler_check_feature AS h ON h.seq = c.holder
    JOIN pg_temp.ler_check_feature AS l ON l.seq = c.seq
    -- What stands upright has no course in the plane to compare.
    WHERE ST_Length2D(h.geom) > 0 AND ST_Length2D(l.geom) > 0 AND NOT h.geom = l.geom
),
room AS MATERIALIZED (
    SELECT DISTINCT ON (p.holder, p.allowed_m)
        p.holder, p.allowed_m, ST_Buffer(p.holder_geom, p.allowed_m, 'quad_segs=16') AS geom
    FROM pair AS p
    ORDER BY p.holder, p.allowed_m
),
outside AS MATERIALIZED (
    SELECT p.*, r.geom AS room
    FROM pair AS p
    JOIN room AS r ON r.holder = p.holder AND r.allowed_m = p.allowed_m
    WHERE NOT ST_Covers(r.geom, p.geom)
),
unlike AS MATERIALIZED (
    SELECT o.*, ST_Buffer(o.geom, o.allowed_m, 'quad_segs=16') AS surroundings FROM outside AS o
)
SELECT u.seq, 'geometri' AS attribute, format('%%s: %%s m', u.holder_id, round(worst.distance_m::numeric, 2)) AS found,
    format('<= %%s m', round(u.allowed_m::numeric, 2)) AS wanted, worst.geom AS place
FROM unlike AS u
CROSS JOIN LATERAL (
    SELECT v.geom, ST_Distance(v.geom, u.holder_geom) AS distance_m
    FROM ST_DumpPoints(ST_Segmentize(ST_Difference(u.geom, u.room), 1)) AS v
    ORDER BY distance_m DESC
    LIMIT 1
) AS worst
WHERE worst.distance_m > u.allowed_m
    AND u.allowed_m < (
        SELECT max(ST_Distance(v.geom, u.geom))
        FROM ST_DumpPoints(ST_Segmentize(ST_Difference(u.holder_geom, u.surroundings), 1)) AS v
    )
