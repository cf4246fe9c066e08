-- A line that a component is said to be connected to does not come near it.
SELECT r.seq, r.attribute, format('%%s: %%s m', r.target, round(d.distance_m::numeric, 2)) AS found,
    format('<= %%s m', round((%(connected_tolerance_m)s + coalesce(c.chamber_m, 0) / 2)::numeric, 2)) AS wanted,
    NULL::geometry AS place
FROM pg_temp.ler_check_reference AS r
JOIN pg_temp.ler_check_feature AS c ON c.seq = r.seq
JOIN pg_temp.ler_check_feature AS l ON l.seq = r.target_seq
CROSS JOIN LATERAL (SELECT ST_Distance(c.geom, l.geom) AS distance_m) AS d
WHERE r.attribute = 'tilknyttetLedning' AND c.kind = 'component' AND l.kind = 'line'
    AND d.distance_m > %(connected_tolerance_m)s + coalesce(c.chamber_m, 0) / 2
