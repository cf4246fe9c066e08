-- The parts of lines and traces in the plane, without repeated vertices, as long as they have a length there.
CREATE TEMP TABLE ler_check_part ON COMMIT DROP AS
SELECT f.seq, f.kind, f.sort, f.network, f.has_start, f.has_end, p.part, p.geom,
    c.seq IS NOT NULL AS is_contained
FROM pg_temp.ler_check_feature AS f
LEFT JOIN (SELECT DISTINCT d.seq FROM pg_temp.ler_check_contained AS d) AS c ON c.seq = f.seq
CROSS JOIN LATERAL (
    SELECT coalesce(d.path[1], 1) AS part, ST_RemoveRepeatedPoints(ST_Force2D(d.geom)) AS geom
    FROM ST_Dump(f.geom) AS d
    WHERE ST_Dimension(d.geom) = 1 AND ST_Length2D(d.geom) > 0
) AS p
WHERE f.kind IN ('line', 'trace') AND f.geom IS NOT NULL
ORDER BY p.geom;

ANALYZE pg_temp.ler_check_part;
