-- Pieces of lines of one sort that are close enough to run along each other, for lines-overlap.
CREATE TEMP TABLE ler_check_neighbour ON COMMIT DROP AS
SELECT p.seq, q.seq AS other, p.piece, q.piece AS other_piece
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
    AND ST_DWithin(p.geom, q.geom, %(overlap_distance_m)s);

ANALYZE pg_temp.ler_check_neighbour;
