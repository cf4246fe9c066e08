-- The same in pieces that are short enough for their boxes to say where they are.
CREATE TEMP TABLE ler_check_piece ON COMMIT DROP AS
SELECT row_number() OVER () AS piece, c.*
FROM (
    SELECT p.seq, p.kind, p.sort, p.network, p.is_contained, p.geom
    FROM pg_temp.ler_check_part AS p
    WHERE ST_NPoints(p.geom) <= 16 AND ST_Length(p.geom) <= 200
    UNION ALL
    SELECT p.seq, p.kind, p.sort, p.network, p.is_contained, s.geom
    FROM pg_temp.ler_check_part AS p
    CROSS JOIN LATERAL ST_Subdivide(ST_Segmentize(p.geom, 100), 16) AS s (geom)
    WHERE NOT (ST_NPoints(p.geom) <= 16 AND ST_Length(p.geom) <= 200)
) AS c;

-- Serves lines-overlap and line-end-gap: the lines near a line or a point.
CREATE INDEX ON pg_temp.ler_check_piece USING gist (geom);
ANALYZE pg_temp.ler_check_piece;


-- Where components are, for line-end-gap.
CREATE TEMP TABLE ler_check_component ON COMMIT DROP AS
SELECT ST_Force2D(f.geom) AS geom FROM pg_temp.ler_check_feature AS f WHERE f.kind = 'component' AND f.geom IS NOT NULL;

CREATE INDEX ON pg_temp.ler_check_component USING gist (geom);
ANALYZE pg_temp.ler_check_component;
