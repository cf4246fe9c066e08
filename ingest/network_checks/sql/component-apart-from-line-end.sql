-- The component that a line is said to start or end at lies away from that end of it.
SELECT r.seq, r.attribute, format('%%s: %%s m', r.target, round(d.distance_m::numeric, 2)) AS found,
    format('<= %%s m', round((%(component_tolerance_m)s + coalesce(c.chamber_m, 0) / 2)::numeric, 2)) AS wanted,
    e.place
FROM pg_temp.ler_check_reference AS r
JOIN pg_temp.ler_check_feature AS l ON l.seq = r.seq
JOIN pg_temp.ler_check_feature AS c ON c.seq = r.target_seq
CROSS JOIN LATERAL (
    SELECT ST_Force2D(
        CASE r.attribute
            WHEN 'startkomponent' THEN ST_StartPoint(ST_GeometryN(l.geom, 1))
            ELSE ST_EndPoint(ST_GeometryN(l.geom, ST_NumGeometries(l.geom)))
        END
    ) AS place
) AS e
CROSS JOIN LATERAL (SELECT ST_Distance(e.place, c.geom) AS distance_m) AS d
WHERE r.attribute IN ('startkomponent', 'slutkomponent') AND c.kind = 'component'
    AND d.distance_m > %(component_tolerance_m)s + coalesce(c.chamber_m, 0) / 2
