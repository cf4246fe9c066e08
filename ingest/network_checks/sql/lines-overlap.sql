-- Two lines of one sort that run along each other. A stretch of two segments counts when they are apart by no more
-- than the tolerance at both of its ends; stretches shorter than overlap_stretch_m are meetings, not overlaps.
--
-- Segments are taken from a place, in a direction, so long: what is left to do for each pair is a few products.
WITH segment AS MATERIALIZED (
    SELECT v.piece, v.x, v.y, v.x2, v.y2, (v.x2 - v.x) / v.length_m AS dx, (v.y2 - v.y) / v.length_m AS dy, v.length_m
    FROM (
        SELECT p.piece, ST_Length(d.geom) AS length_m,
            ST_X(ST_StartPoint(d.geom)) AS x, ST_Y(ST_StartPoint(d.geom)) AS y,
            ST_X(ST_EndPoint(d.geom)) AS x2, ST_Y(ST_EndPoint(d.geom)) AS y2
        FROM pg_temp.ler_check_piece AS p
        CROSS JOIN LATERAL ST_DumpSegments(p.geom) AS d
        WHERE p.piece IN (SELECT c.piece FROM pg_temp.ler_check_neighbour AS c UNION SELECT c.other_piece FROM pg_temp.ler_check_neighbour AS c)
        OFFSET 0
    ) AS v
    WHERE v.length_m > 0
),
-- Where the other segment begins and ends along this one, and beside it.
pair AS (
    SELECT c.seq, c.other, s.x, s.y, s.dx, s.dy, s.length_m,
        (o.x - s.x) * s.dx + (o.y - s.y) * s.dy AS along1, (o.y - s.y) * s.dx - (o.x - s.x) * s.dy AS beside1,
        (o.x2 - s.x) * s.dx + (o.y2 - s.y) * s.dy AS along2, (o.y2 - s.y) * s.dx - (o.x2 - s.x) * s.dy AS beside2
    FROM pg_temp.ler_check_neighbour AS c
    JOIN segment AS s ON s.piece = c.piece
    JOIN segment AS o ON o.piece = c.other_piece
    OFFSET 0
),
stretch AS (
    SELECT p.*,
        greatest(0, least(p.along1, p.along2)) AS from_m, least(p.length_m, greatest(p.along1, p.along2)) AS to_m
    FROM pair AS p
    OFFSET 0
),
shared AS (
    SELECT t.seq, t.other, sum(t.to_m - t.from_m) AS shared_m,
        (array_agg(
            ST_Point(t.x + t.dx * (t.from_m + t.to_m) / 2, t.y + t.dy * (t.from_m + t.to_m) / 2, 25832)
            ORDER BY t.to_m - t.from_m DESC, t.x, t.y
        ))[1] AS place
    FROM stretch AS t
    WHERE t.to_m - t.from_m >= %(overlap_stretch_m)s
        AND %(overlap_distance_m)s >= greatest(
            abs(t.beside1 + (t.beside2 - t.beside1) * (t.from_m - t.along1) / nullif(t.along2 - t.along1, 0)),
            abs(t.beside1 + (t.beside2 - t.beside1) * (t.to_m - t.along1) / nullif(t.along2 - t.along1, 0))
        )
    GROUP BY t.seq, t.other
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
