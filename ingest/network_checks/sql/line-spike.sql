-- Vertices at which a line turns back on itself and one of the two segments is short.
SELECT p.seq, 'geometri' AS attribute,
    format('%%s°, %%s m', round(degrees(s.angle)::numeric, 1), round(s.short_m::numeric, 2)) AS found,
    NULL AS wanted, s.place
FROM pg_temp.ler_check_part AS p
CROSS JOIN LATERAL (
    SELECT v.place,
        least(ST_Distance(v.before, v.place), ST_Distance(v.place, v.after)) AS short_m,
        pi() - abs(pi() - ST_Angle(v.before, v.place, v.after)) AS angle
    FROM (
        SELECT d.geom AS place, lag(d.geom) OVER line AS before, lead(d.geom) OVER line AS after
        FROM ST_DumpPoints(p.geom) AS d
        WINDOW line AS (ORDER BY d.path)
    ) AS v
    WHERE v.before IS NOT NULL AND v.after IS NOT NULL
) AS s
WHERE ST_NPoints(p.geom) > 2 AND s.angle <= radians(%(spike_angle_deg)s) AND s.short_m <= %(spike_length_m)s
