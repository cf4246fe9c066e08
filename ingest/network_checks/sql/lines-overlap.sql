-- Two lines of one sort that run along each other. A stretch of two segments counts when they are apart by no more
-- than the tolerance at both of its ends; stretches shorter than overlap_stretch_m are meetings, not overlaps.
WITH candidate AS MATERIALIZED (
    SELECT p.seq, q.seq AS other, p.geom, q.geom AS other_geom
    FROM pg_temp.ler_check_piece AS p
    JOIN pg_temp.ler_check_piece AS q
        ON q.geom && ST_Expand(p.geom, %(overlap_distance_m)s) AND q.sort = p.sort AND q.seq > p.seq
    WHERE p.kind = 'line' AND q.kind = 'line' AND NOT p.is_contained AND NOT q.is_contained
        -- The common part of their boxes must have room for a stretch.
        AND power(
            least(ST_XMax(p.geom), ST_XMax(q.geom)) - greatest(ST_XMin(p.geom), ST_XMin(q.geom))
                + %(overlap_distance_m)s, 2
        ) + power(
            least(ST_YMax(p.geom), ST_YMax(q.geom)) - greatest(ST_YMin(p.geom), ST_YMin(q.geom))
                + %(overlap_distance_m)s, 2
        ) >= power(%(overlap_stretch_m)s, 2)
        AND ST_DWithin(p.geom, q.geom, %(overlap_distance_m)s)
),
shared AS (
    SELECT c.seq, c.other, sum(t.to_m - t.from_m) AS shared_m,
        (array_agg(
            ST_Point(s.x + s.dx * (t.from_m + t.to_m) / 2, s.y + s.dy * (t.from_m + t.to_m) / 2, 25832)
            ORDER BY t.to_m - t.from_m DESC
        ))[1] AS place
    FROM candidate AS c
    -- A segment by its start, direction and length.
    CROSS JOIN LATERAL (
        SELECT v.x, v.y, (v.x2 - v.x) / v.length_m AS dx, (v.y2 - v.y) / v.length_m AS dy, v.length_m
        FROM (
            SELECT ST_X(ST_StartPoint(d.geom)) AS x, ST_Y(ST_StartPoint(d.geom)) AS y,
                ST_X(ST_EndPoint(d.geom)) AS x2, ST_Y(ST_EndPoint(d.geom)) AS y2, ST_Length(d.geom) AS length_m
            FROM ST_DumpSegments(c.geom) AS d
        ) AS v
    ) AS s
    CROSS JOIN LATERAL ST_DumpSegments(c.other_geom) AS o
    -- The ends of the other segment along this one and beside it.
    CROSS JOIN LATERAL (
        SELECT
            (x1 - s.x) * s.dx + (y1 - s.y) * s.dy AS along1, (y1 - s.y) * s.dx - (x1 - s.x) * s.dy AS beside1,
            (x2 - s.x) * s.dx + (y2 - s.y) * s.dy AS along2, (y2 - s.y) * s.dx - (x2 - s.x) * s.dy AS beside2
        FROM (
            SELECT ST_X(ST_StartPoint(o.geom)), ST_Y(ST_StartPoint(o.geom)),
                ST_X(ST_EndPoint(o.geom)), ST_Y(ST_EndPoint(o.geom))
        ) AS e (x1, y1, x2, y2)
    ) AS e
    CROSS JOIN LATERAL (
        SELECT greatest(0, least(e.along1, e.along2)) AS from_m, least(s.length_m, greatest(e.along1, e.along2)) AS to_m
    ) AS t
    CROSS JOIN LATERAL (
        SELECT (e.beside2 - e.beside1) / nullif(e.along2 - e.along1, 0) AS slope
    ) AS g
    WHERE t.to_m - t.from_m >= %(overlap_stretch_m)s
        AND abs(e.beside1 + g.slope * (t.from_m - e.along1)) <= %(overlap_distance_m)s
        AND abs(e.beside1 + g.slope * (t.to_m - e.along1)) <= %(overlap_distance_m)s
    GROUP BY c.seq, c.other
)
SELECT
    CASE WHEN a.gml_id COLLATE "C" > b.gml_id COLLATE "C" THEN a.seq ELSE b.seq END AS seq,
    'geometri' AS attribute,
    format('%%s: %%s m', least(a.gml_id COLLATE "C", b.gml_id COLLATE "C"), round(s.shared_m::numeric, 2)) AS found,
    format('<= %%s m', %(overlap_m)s) AS wanted, s.place
FROM shared AS s
JOIN pg_temp.ler_check_feature AS a ON a.seq = s.seq
JOIN pg_temp.ler_check_feature AS b ON b.seq = s.other
WHERE s.shared_m > %(overlap_m)s
    -- Equal ones are told as duplicates.
    AND NOT EXISTS (
        SELECT
        FROM pg_temp.ler_check_same AS x
        JOIN pg_temp.ler_check_same AS y ON y.first_at_the_place = x.first_at_the_place
        WHERE x.seq = s.seq AND y.seq = s.other
    )
    -- Cables out of one cabinet may be drawn in one trench; between the same two they are one cable drawn twice.
    AND 1 <> (
        SELECT count(*)
        FROM (
            SELECT r.target FROM pg_temp.ler_check_reference AS r
            WHERE r.seq = s.seq AND r.attribute IN ('startkomponent', 'slutkomponent')
            INTERSECT
            SELECT r.target FROM pg_temp.ler_check_reference AS r
            WHERE r.seq = s.other AND r.attribute IN ('startkomponent', 'slutkomponent')
        ) AS common
    )
