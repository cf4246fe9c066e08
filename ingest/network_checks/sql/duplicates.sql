-- Features of one sort at exactly the same place, with the first of them by gml:id and whether they are equal in all but
-- their identifiers too. A line drawn the other way round is at the same place. What lies in something may be drawn
-- as that is drawn, and is left out.
CREATE TEMP TABLE ler_check_same ON COMMIT DROP AS
WITH placed AS (
    SELECT f.seq, f.gml_id, f.sort,
        md5(least(ST_AsBinary(f.geom), ST_AsBinary(ST_Reverse(f.geom))))::uuid AS place
    FROM pg_temp.ler_check_feature AS f
    WHERE f.kind <> 'other' AND f.geom IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_temp.ler_check_contained AS c WHERE c.seq = f.seq)
),
crowded AS MATERIALIZED (
    SELECT p.sort, p.place FROM placed AS p GROUP BY p.sort, p.place HAVING count(*) > 1
),
described AS (
    SELECT p.seq, p.gml_id, p.sort, p.place,
        md5(
            (f.utility_type, f.operational_status, f.ownership, f.established, f.danger_class, f.drawing_method,
                f.horizontal_accuracy, f.vertical_accuracy, f.precautions, f.indicative_depth_mm, f.level,
                f.attributes, f.voids)::text
        )::uuid AS content
    FROM placed AS p
    JOIN crowded AS c ON c.sort = p.sort AND c.place = p.place
    JOIN ler.staged_feature AS f ON f.version_id = %(version)s AND f.seq = p.seq
)
SELECT d.seq, d.gml_id,
    first_value(d.gml_id) OVER at_the_place AS first_at_the_place,
    first_value(d.gml_id) OVER with_the_content AS first_with_the_content
FROM described AS d
WINDOW
    at_the_place AS (PARTITION BY d.sort, d.place ORDER BY d.gml_id COLLATE "C"),
    with_the_content AS (PARTITION BY d.sort, d.place, d.content ORDER BY d.gml_id COLLATE "C");

ANALYZE pg_temp.ler_check_same;
