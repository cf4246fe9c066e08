-- A part of a line that is not simple: it crosses, touches or runs along itself. Two vertices cannot.
SELECT DISTINCT p.seq, 'geometri' AS attribute, NULL AS found, NULL AS wanted, NULL::geometry AS place
FROM pg_temp.ler_check_part AS p
WHERE ST_NPoints(p.geom) > 2 AND NOT ST_IsSimple(p.geom)
