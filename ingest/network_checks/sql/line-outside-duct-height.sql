-- Vertices of a contained line, beside what it lies in, that lie above its top or below its bottom. Heights are those
-- of the top edge; compared only where both are known: at the vertex, and at both ends of the segment of the holder that is
-- nearest to it. Where several are equally near, as at a vertex, that which agrees best is taken.
WITH pair AS MATERIALIZED (
    SELECT c.seq, h.gml_id AS holder_id, h.geom AS holder_geom, l.geom,
        coalesce(h.outer_width_m / 2, %(duct_half_width_m)s) + %(duct_tolerance_m)s AS allowed_m,
        coalesce(h.outer_height_m, 2 * %(duct_half_width_m)s) AS height_m,
        %(height_tolerance_m)s + greatest(h.vertical_accuracy_m, l.vertical_accuracy_m) AS tolerance_m
    FROM pg_temp.ler_check_contained AS c
    JOIN pg_temp.ler_check_feature AS h ON h.seq = c.holder
    JOIN pg_temp.ler_check_feature AS l ON l.seq = c.seq
    WHERE c.holder_kind = 'line' AND NOT h.geom = l.geom
        -- Every vertex is held against every segment.
        AND ST_NPoints(h.geom)::bigint * ST_NPoints(l.geom) <= %(most_height_pairs)s
)
SELECT p.seq, 'geometri' AS attribute,
    format('%%s: %%s m', p.holder_id, round(worst.above_m::numeric, 2)) AS found,
    format('%%s … %%s m', round((-p.height_m - p.tolerance_m)::numeric, 2), round(p.tolerance_m::numeric, 2)) AS wanted,
    worst.place
FROM pair AS p
CROSS JOIN LATERAL (
    SELECT best.above_m, ST_Force2D(v.geom) AS place
    FROM ST_DumpPoints(p.geom) AS v
    CROSS JOIN LATERAL (
        SELECT near.above_m
        FROM (
            SELECT s.distance_m, min(s.distance_m) OVER () AS least_m,
                ST_Z(v.geom) - s.from_z - s.share * (s.to_z - s.from_z) AS above_m
            FROM (
                SELECT ST_Distance(v.geom, d.geom) AS distance_m, ST_LineLocatePoint(d.geom, v.geom) AS share,
                    ST_Z(ST_StartPoint(d.geom)) AS from_z, ST_Z(ST_EndPoint(d.geom)) AS to_z
                FROM ST_DumpSegments(p.holder_geom) AS d
                WHERE ST_Length2D(d.geom) > 0
            ) AS s
        ) AS near
        WHERE near.distance_m <= near.least_m + 1e-6 AND near.distance_m <= p.allowed_m AND near.above_m <> 'NaN'
        ORDER BY abs(near.above_m)
        LIMIT 1
    ) AS best
    WHERE ST_Z(v.geom) <> 'NaN' AND (best.above_m > p.tolerance_m OR best.above_m < -p.height_m - p.tolerance_m)
    ORDER BY abs(best.above_m) DESC
    LIMIT 1
) AS worst
