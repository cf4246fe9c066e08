-- A line, or a part of one, whose vertices are all at one place. A riser is none: it has two different heights.
SELECT f.seq, 'geometri' AS attribute, NULL AS found, NULL AS wanted, (array_agg(ST_Force2D(ST_StartPoint(d.geom)) ORDER BY d.path))[1] AS place
FROM pg_temp.ler_check_feature AS f
CROSS JOIN LATERAL ST_Dump(f.geom) AS d
WHERE f.kind IN ('line', 'trace') AND ST_Dimension(d.geom) = 1 AND ST_Length2D(d.geom) = 0
    AND (
        SELECT count(DISTINCT ST_Z(v.geom)) FILTER (WHERE ST_Z(v.geom) <> 'NaN') < 2 FROM ST_DumpPoints(d.geom) AS v
    )
GROUP BY f.seq
