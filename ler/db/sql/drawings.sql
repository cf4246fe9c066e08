-- The last step of ler.fill_answers (match.sql), which alone may call it: it runs with its rights, path and settings.
-- Stores with the request the drawings that go with it, of each of these answers that delivers lines: those whose
-- footprint the area touches and those that belong to a delivered feature, unless they are not valid in any part of the
-- dig's period, or show a line of a `guarded` owner that may not be shown (sensitivity.sql). Who answers "no lines", or
-- has not answered, gives no drawing either. What of a drawing is delivered is cut when the package is made.
CREATE OR REPLACE FUNCTION ler.match_drawings(
    request ler.excavation_request, answers uuid[], reach @postgis@.geometry, guarded uuid[], released text[]
)
RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    wanted constant uuid := (request).id;
    stored integer;
BEGIN
    -- Most owners have none; the statement below is then not even looked at.
    IF NOT EXISTS (
        SELECT FROM ler.owner_answer AS a
        JOIN ler.drawing AS d ON d.owner_id = a.owner_id
        WHERE a.id = ANY (answers) AND a.feature_count > 0
    ) THEN
        RETURN;
    END IF;

    INSERT INTO ler.package_drawing (
        request_id, requester_id, owner_id, drawing_id, name, cog_sha256, cog_size_bytes, deliver,
        resolution_m, accuracy_m, taken_on, valid_from, valid_to, gml_ids
    )
    WITH answered AS MATERIALIZED (
        SELECT a.owner_id, a AS answer
        FROM ler.owner_answer AS a
        WHERE a.id = ANY (answers) AND a.feature_count > 0
    ),
    delivered AS MATERIALIZED (
        SELECT p.owner_id, p.gml_id, p.seq,
            CASE p.feature_type WHEN 'Informationsressource' THEN ler.file_name(p.attributes ->> 'sti') END AS file
        FROM ler.package_feature AS p
        WHERE p.request_id = wanted AND p.answer_id = ANY (answers)
    ),
    belonging AS (
        SELECT found.id, array_agg(found.gml_id ORDER BY found.seq) AS gml_ids
        FROM (
            SELECT d.id, f.gml_id, f.seq
            FROM delivered AS f
            JOIN ler.drawing AS d ON d.owner_id = f.owner_id AND d.name = f.file
            UNION
            SELECT d.id, f.gml_id, f.seq
            FROM answered AS a
            JOIN ler.drawing AS d ON d.owner_id = a.owner_id AND d.linked_gml_ids <> '{}'
            CROSS JOIN LATERAL unnest(d.linked_gml_ids) AS linked (gml_id)
            JOIN delivered AS f ON f.owner_id = d.owner_id AND f.gml_id = linked.gml_id
        ) AS found
        GROUP BY found.id
    ),
    touching AS (
        SELECT d.id
        FROM ler.drawing AS d
        WHERE d.geom && reach AND ST_Intersects(d.geom, reach)
    )
    SELECT
        wanted, (request).requester_id, d.owner_id, d.id, d.name, d.cog_sha256, d.cog_size_bytes, d.deliver,
        d.resolution_m, d.accuracy_m, d.taken_on, d.valid_from, d.valid_to, coalesce(b.gml_ids, '{}')
    FROM (SELECT t.id FROM touching AS t UNION SELECT b.id FROM belonging AS b) AS chosen
    JOIN ler.drawing AS d ON d.id = chosen.id
    JOIN answered AS a ON a.owner_id = d.owner_id
    LEFT JOIN belonging AS b ON b.id = d.id
    WHERE (d.valid_to IS NULL OR d.valid_to >= (request).period_from)
        AND (d.valid_from IS NULL OR d.valid_from <= (request).period_to)
        AND CASE
            WHEN d.owner_id = ANY (guarded) THEN NOT ler.shows_withheld(d, a.answer, reach, released)
            ELSE true
        END
    -- What an answer that this one replaces brought stays.
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;

    IF stored > 0 THEN
        INSERT INTO ler.audit_event (actor, action, object_id, details)
        VALUES ((request).requester_id, 'ler:drawing:match', wanted, jsonb_build_object('drawings', stored));
    END IF;
END
$$;


-- What follows the last slash of an attachment's path: the names of drawings have none.
CREATE OR REPLACE FUNCTION ler.file_name(path text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(path FROM '[^/]*$');


-- The blobs that rows of the database keep; whatever else the store holds is swept. Digests only: what they are of and
-- whose is not told.
CREATE OR REPLACE FUNCTION ler.known_blobs()
RETURNS TABLE (sha256 text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT kept.sha256
    FROM ler.drawing AS d
    CROSS JOIN LATERAL (VALUES (d.original_sha256), (d.cog_sha256), (d.preview_sha256)) AS kept (sha256)
    UNION
    SELECT p.cog_sha256
    FROM ler.package_drawing AS p
    UNION
    SELECT i.sha256
    FROM ler.deviation_photo AS i
    UNION
    SELECT a.sha256
    FROM ler.answer_attachment AS a
    UNION
    SELECT p.sha256
    FROM ler.package AS p
    UNION
    SELECT kept.sha256
    FROM ler.ogc_job AS j
    CROSS JOIN LATERAL (VALUES (j.inputs_sha256), (j.result_sha256)) AS kept (sha256)
    WHERE kept.sha256 IS NOT NULL
$$;
