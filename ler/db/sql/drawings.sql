-- Stores with a request the drawings that go with it: of each owner that answered, those whose footprint the area
-- touches and those that belong to a delivered feature, unless they are not valid in any part of the dig's period.
-- Returns their number.
--
-- To be called in the transaction that matches the request, after ler.match_request or at its end; later there is
-- nothing to add to what was delivered. The requester never reads the owners' drawings; this function does.
--
--   LE401  nobody acts     LE404  no such request, or not yours     LE409  not matched in this transaction
CREATE OR REPLACE FUNCTION ler.match_drawings(request_id uuid)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    acting constant uuid := ler.principal();
    wanted constant uuid := match_drawings.request_id;
    request ler.excavation_request;
    reach geometry;
    stored integer;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    SELECT r.* INTO request FROM ler.excavation_request AS r WHERE r.id = wanted AND r.requester_id = acting;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such request' USING ERRCODE = 'LE404';
    END IF;
    -- now() is the transaction's, as it was when ler.match_request wrote it.
    IF request.matched_at IS DISTINCT FROM now() THEN
        RAISE EXCEPTION 'the request is not matched in this transaction' USING ERRCODE = 'LE409';
    END IF;
    reach := ler.reach(request.area, request.clip_buffer_m);

    INSERT INTO ler.package_drawing (
        request_id, requester_id, owner_id, drawing_id, name, cog_sha256, cog_size_bytes, preview_sha256,
        resolution_m, accuracy_m, taken_on, valid_from, valid_to, geom, gml_ids
    )
    SELECT
        wanted, acting, d.owner_id, d.id, d.name, d.cog_sha256, d.cog_size_bytes, d.preview_sha256,
        d.resolution_m, d.accuracy_m, d.taken_on, d.valid_from, d.valid_to, d.geom,
        coalesce(belonging.gml_ids, '{}')
    FROM ler.owner_answer AS a
    JOIN ler.drawing AS d ON d.owner_id = a.owner_id
    CROSS JOIN LATERAL (
        SELECT array_agg(p.gml_id ORDER BY p.seq) AS gml_ids
        FROM ler.package_feature AS p
        WHERE p.request_id = wanted AND p.owner_id = d.owner_id AND (
            p.gml_id = ANY (d.linked_gml_ids)
            OR (p.feature_type = 'Informationsressource' AND ler.names_file(p.attributes ->> 'sti', d.name))
        )
    ) AS belonging
    WHERE a.request_id = wanted
        AND (d.valid_to IS NULL OR d.valid_to >= request.period_from)
        AND (d.valid_from IS NULL OR d.valid_from <= request.period_to)
        AND (d.geom && reach AND ST_Intersects(d.geom, reach) OR belonging.gml_ids IS NOT NULL)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS stored = ROW_COUNT;

    IF stored > 0 THEN
        INSERT INTO ler.audit_event (actor, action, object_id, details)
        VALUES (acting, 'ler:drawing:match', wanted, jsonb_build_object('drawings', stored));
    END IF;
    RETURN stored;
END
$$;


-- Whether a path of an attachment is this file's name, or ends with it after a slash.
CREATE OR REPLACE FUNCTION ler.names_file(path text, name text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN path = name OR right(path, char_length(name) + 1) = '/' || name;


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
    SELECT kept.sha256
    FROM ler.package_drawing AS p
    CROSS JOIN LATERAL (VALUES (p.cog_sha256), (p.preview_sha256)) AS kept (sha256)
$$;
