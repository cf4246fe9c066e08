-- From a delta to the whole network that it makes. As the caller, who stages for itself only.

-- Completes what a delta staged by the features of the current version that it leaves as they are. Returns how many.
CREATE OR REPLACE FUNCTION ler.expand_delta(staged uuid, deletes text[])
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, @postgis@, ler, pg_temp
SET enable_nestloop = off
AS $$
DECLARE
    version ler.network_version;
    last_seq integer;
    left_alone integer;
BEGIN
    SELECT * INTO STRICT version FROM ler.network_version AS v WHERE v.id = staged;
    SELECT coalesce(max(s.seq), 0) INTO last_seq FROM ler.staged_feature AS s WHERE s.version_id = staged;
    INSERT INTO ler.staged_feature (
        version_id, owner_id, seq, line, content_hash, feature_type, gml_id, utility_type, operational_status,
        ownership, established, danger_class, ler_id, drawing_method, horizontal_accuracy, vertical_accuracy,
        registered_from, precautions, indicative_depth_mm, level, attributes, voids, geom
    )
    SELECT
        staged, f.owner_id, last_seq + row_number() OVER (ORDER BY f.seq), 0, f.content_hash, f.feature_type, f.gml_id,
        f.utility_type, f.operational_status, f.ownership, f.established, f.danger_class, f.ler_id, f.drawing_method,
        f.horizontal_accuracy, f.vertical_accuracy, f.registered_from, f.precautions, f.indicative_depth_mm, f.level,
        f.attributes, f.voids, f.geom
    FROM ler.network_feature AS f
    WHERE f.dataset_id = version.dataset_id AND f.removed_in IS NULL
        AND NOT EXISTS (SELECT FROM unnest(deletes) AS d (gml_id) WHERE d.gml_id = f.gml_id)
        AND NOT EXISTS (
            SELECT FROM ler.staged_feature AS s WHERE s.version_id = staged AND s.gml_id = f.gml_id
        );
    GET DIAGNOSTICS left_alone = ROW_COUNT;
    UPDATE ler.network_version AS v SET feature_count = v.feature_count + left_alone WHERE v.id = staged;
    RETURN left_alone;
END
$$;


-- The references of a staged network that lead nowhere: the feature that refers, by which attribute, to what.
-- A contact (Kontaktprofil) lies in the feature that names it and is no target.
CREATE OR REPLACE FUNCTION ler.staged_lost_references(staged uuid)
RETURNS TABLE (gml_id text, line integer, feature_type text, attribute text, target text)
LANGUAGE sql STABLE
AS $$
    SELECT s.gml_id, s.line, s.feature_type, a.key, r.gml_id
    FROM ler.staged_feature AS s
    CROSS JOIN LATERAL jsonb_each(s.attributes) AS a
    CROSS JOIN LATERAL ler.pointers(a.value) AS r (gml_id)
    WHERE s.version_id = staged
        AND s.attributes ?| ler.reference_attributes()
        AND a.key = ANY (ler.reference_attributes())
        AND NOT EXISTS (
            SELECT FROM ler.staged_feature AS t WHERE t.version_id = staged AND t.gml_id = r.gml_id
        )
    ORDER BY s.seq
$$;
