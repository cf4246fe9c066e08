-- Ends of lines that nearly meet a line of the same network and meet nothing. An end is joined when it touches another
-- line of the network or a component, or when the line names the component there.
WITH line_end AS (
    SELECT p.seq, p.network, e.place
    FROM pg_temp.ler_check_part AS p
    CROSS JOIN LATERAL (
        VALUES (p.has_start, ST_StartPoint(p.geom)), (p.has_end, ST_EndPoint(p.geom))
    ) AS e (is_named, place)
    WHERE p.kind = 'line' AND p.network IS NOT NULL AND NOT p.is_contained AND NOT e.is_named
        AND NOT ST_IsClosed(p.geom)
),
-- Most ends lie exactly on another's, which costs no search. Those that are left are put back along the Hilbert curve:
-- searched in the order of a hash table, each would read another page of the index.
alone AS MATERIALIZED (
    SELECT e.network, min(e.seq) AS seq, e.place
    FROM line_end AS e
    GROUP BY e.network, e.place
    HAVING min(e.seq) = max(e.seq)
    ORDER BY e.place
),
near AS MATERIALIZED (
    SELECT a.seq, a.network, a.place, n.distance_m
    FROM alone AS a
    CROSS JOIN LATERAL (
        SELECT min(ST_Distance(q.geom, a.place)) AS distance_m
        FROM pg_temp.ler_check_piece AS q
        WHERE q.geom && ST_Expand(a.place, %(gap_m)s) AND q.network = a.network AND q.seq <> a.seq
    ) AS n
    WHERE n.distance_m > %(touching_m)s AND n.distance_m <= %(gap_m)s
)
SELECT n.seq, 'geometri' AS attribute, format('%%s: %%s m', o.gml_id, round(n.distance_m::numeric, 3)) AS found,
    '0 m' AS wanted, n.place
FROM near AS n
CROSS JOIN LATERAL (
    SELECT min(f.gml_id COLLATE "C") AS gml_id
    FROM pg_temp.ler_check_piece AS q
    JOIN pg_temp.ler_check_feature AS f ON f.seq = q.seq
    WHERE q.geom && ST_Expand(n.place, %(gap_m)s) AND q.network = n.network AND q.seq <> n.seq
        AND ST_Distance(q.geom, n.place) = n.distance_m
) AS o
WHERE NOT EXISTS (
    SELECT
    FROM pg_temp.ler_check_component AS c
    WHERE c.geom && ST_Expand(n.place, %(touching_m)s) AND ST_DWithin(c.geom, n.place, %(touching_m)s)
)
