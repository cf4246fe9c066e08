-- Vertices of a contained line, beside what it lies in, that lie above its top or below its bottom. Heights are those
-- of the top edge; compared only where both are known.
WITH pair AS MATERIALIZED (
    SELECT c.seq, h.gml_id AS holder_id, h.geom AS holder_geom, l.geom,
        coalesce(h.outer_width_m / 2, %(duct_half_width_m)s) + %(duct_tolerance_m)s AS allowed_m,
        coalesce(h.outer_height_m, 2 * %(duct_half_width_m)s) AS height_m,
        %(height_tolerance_m)s + greatest(h.vertical_accuracy_m, l.vertical_accuracy_m) AS tolerance_m
    FROM pg_temp.ler_check_contained AS c
    JOIN pg_temp.ler_check_feature AS h ON h.seq = c.holder
    JOIN pg_temp.ler_check_feature AS l ON l.seq = c.seq
    WHERE c.holder_kind = 'line' AND NOT h.geom = l.geom
        AND GeometryType(h.geom) = 'LINESTRING' AND ST_Length2D(h.geom) > 0
)
SELECT p.seq, 'geometri' AS attribute,
    format('%%s: %%s m', p.holder_id, round(worst.above_m::numeric, 2)) AS found,
    format('%%s … %%s m', round((-p.height_m - p.tolerance_m)::numeric, 2), round(p.tolerance_m::numeric, 2)) AS wanted,
    worst.place
FROM pair AS p
CROSS JOIN LATERAL (
    SELECT z.above_m, ST_Force2D(v.geom) AS place
    FROM ST_DumpPoints(p.geom) AS v
    CROSS JOIN LATERAL (
        SELECT ST_Z(v.geom)
            - ST_Z(ST_LineInterpolatePoint(p.holder_geom, ST_LineLocatePoint(p.holder_geom, v.geom))) AS above_m
    ) AS z
    WHERE ST_Z(v.geom) <> 'NaN' AND z.above_m <> 'NaN' AND ST_Distance(v.geom, p.holder_geom) <= p.allowed_m
        AND (z.above_m > p.tolerance_m OR z.above_m < -p.height_m - p.tolerance_m)
    ORDER BY abs(z.above_m) DESC
    LIMIT 1
) AS worst
