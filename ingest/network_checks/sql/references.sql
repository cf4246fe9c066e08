-- Every reference. Nothing is known of the size of a table that was filled a moment ago, and the planner would loop over it
-- for each row of another: so it is only ever read alone, and joined from copies that are analysed.
CREATE TEMP TABLE ler_check_given ON COMMIT DROP AS
SELECT f.seq, f.feature_type, a.name AS attribute, r.target
FROM ler.staged_feature AS f
CROSS JOIN unnest(%(reference_attributes)s::text[]) AS a (name)
CROSS JOIN LATERAL jsonb_array_elements_text(
    CASE jsonb_typeof(f.attributes -> a.name)
        WHEN 'array' THEN f.attributes -> a.name
        ELSE jsonb_build_array(f.attributes -> a.name)
    END
) AS r (target)
WHERE f.version_id = %(version)s AND f.attributes ?| %(reference_attributes)s::text[] AND f.attributes ? a.name;

ANALYZE pg_temp.ler_check_given;


-- What each points to. A contact that stands inside a feature can be pointed to as well.
CREATE TEMP TABLE ler_check_reference ON COMMIT DROP AS
SELECT g.seq, g.feature_type, g.attribute, g.target, t.seq AS target_seq, t.feature_type AS target_type
FROM pg_temp.ler_check_given AS g
LEFT JOIN (
    SELECT f.gml_id, f.seq, f.feature_type FROM pg_temp.ler_check_feature AS f
    UNION ALL
    SELECT DISTINCT f.contact_id, NULL::integer, 'Kontaktprofil'
    FROM pg_temp.ler_check_feature AS f
    WHERE f.contact_id IS NOT NULL
) AS t ON t.gml_id = g.target;

-- Serves lines-overlap: the components of a line.
CREATE INDEX ON pg_temp.ler_check_reference (seq);
ANALYZE pg_temp.ler_check_reference;


-- Which line lies in what, where both are there and of the kind that they must be.
CREATE TEMP TABLE ler_check_contained ON COMMIT DROP AS
SELECT DISTINCT r.seq AS holder, h.kind AS holder_kind, r.target_seq AS seq
FROM pg_temp.ler_check_reference AS r
JOIN pg_temp.ler_check_feature AS h ON h.seq = r.seq
JOIN pg_temp.ler_check_feature AS l ON l.seq = r.target_seq
WHERE r.attribute = 'indeholdtLedning' AND l.kind = 'line' AND r.target_seq <> r.seq;

ANALYZE pg_temp.ler_check_contained;
