-- Makes a staged version the current one of its dataset; from then on it answers requests. Only its owner may.
-- Returns the number of its features. Refuses an empty version, which would take a whole network away, unless told to.
--
-- Nothing of older versions changes: features that are not in this one are told to have ended with it, and those that
-- are new or different are added. Who reads an older version meanwhile goes on to see that one, and nobody waits.
--
--   LE401  nobody acts             LE404  no such version, or not yours     LE409  not staged any more
--   LE410  what was staged is gone LE412  another version was published since this one was compared
--   LE422  empty                   LE423  the owner already publishes another dataset
CREATE OR REPLACE FUNCTION ler.publish_version(version_id uuid, confirm_empty boolean DEFAULT false)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
SET jit = off
-- Nothing is known yet of rows that were staged a moment ago; a loop in a loop over two networks would never end.
SET enable_nestloop = off
SET work_mem = '64MB'
AS $$
DECLARE
    acting constant uuid := ler.principal();
    version ler.network_version;
    dataset ler.network_dataset;
    features integer;
    last_seq bigint;
    attachments bigint[];
    staged integer;
    ended integer;
    added integer;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;

    -- The dataset first, so that two publications of one dataset wait for each other; then the version, so that no
    -- upload can still add to it.
    SELECT * INTO dataset
    FROM ler.network_dataset AS d
    WHERE d.owner_id = acting
        AND d.id = (SELECT v.dataset_id FROM ler.network_version AS v WHERE v.id = publish_version.version_id)
    FOR NO KEY UPDATE;
    SELECT * INTO version
    FROM ler.network_version AS v
    WHERE v.id = publish_version.version_id AND v.owner_id = acting
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such version' USING ERRCODE = 'LE404';
    ELSIF version.state <> 'staged' THEN
        RAISE EXCEPTION 'the version is %', version.state USING ERRCODE = 'LE409';
    ELSIF EXISTS (
        SELECT FROM ler.network_dataset AS d
        WHERE d.owner_id = acting AND d.id <> version.dataset_id AND d.current_version_id IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the owner already publishes another dataset' USING ERRCODE = 'LE423';
    ELSIF version.base_number IS DISTINCT FROM (
        SELECT v.number FROM ler.network_version AS v WHERE v.id = dataset.current_version_id
    ) THEN
        RAISE EXCEPTION 'another version was published since' USING ERRCODE = 'LE412';
    END IF;

    SELECT count(*) INTO features FROM ler.staged_feature AS s WHERE s.version_id = version.id;
    IF features <> version.feature_count THEN
        RAISE EXCEPTION 'what was staged is gone' USING ERRCODE = 'LE410';
    ELSIF features = 0 AND NOT confirm_empty THEN
        RAISE EXCEPTION 'the version is empty' USING ERRCODE = 'LE422';
    END IF;

    SELECT coalesce(max(f.seq), 0) INTO last_seq FROM ler.network_feature AS f WHERE f.dataset_id = version.dataset_id;
    UPDATE ler.network_feature AS f SET removed_in = version.number
    WHERE f.dataset_id = version.dataset_id AND f.removed_in IS NULL AND NOT EXISTS (
        SELECT FROM ler.staged_feature AS s
        WHERE s.version_id = version.id AND s.gml_id = f.gml_id AND s.content_hash = f.content_hash
    );
    GET DIAGNOSTICS ended = ROW_COUNT;
    -- Along a Hilbert curve, as PostGIS orders geometry: what lies together is stored together.
    INSERT INTO ler.network_feature (
        owner_id, dataset_id, seq, added_in, content_hash, feature_type, gml_id, utility_type, operational_status,
        ownership, established, danger_class, ler_id, drawing_method, horizontal_accuracy, vertical_accuracy,
        registered_from, precautions, indicative_depth_mm, level, attributes, voids, geom
    )
    SELECT
        version.owner_id, version.dataset_id, last_seq + 1 + s.seq, version.number, s.content_hash, s.feature_type, s.gml_id,
        s.utility_type, s.operational_status, s.ownership, s.established, s.danger_class, s.ler_id, s.drawing_method,
        s.horizontal_accuracy, s.vertical_accuracy, s.registered_from, s.precautions, s.indicative_depth_mm, s.level,
        s.attributes, s.voids, s.geom
    FROM ler.staged_feature AS s
    WHERE s.version_id = version.id AND NOT EXISTS (
        SELECT FROM ler.network_feature AS f
        WHERE f.dataset_id = version.dataset_id AND f.removed_in IS NULL AND f.gml_id = s.gml_id
    )
    ORDER BY s.geom;
    GET DIAGNOSTICS added = ROW_COUNT;

    attachments := ler.common_attachments(version.id, version.dataset_id);
    DELETE FROM ler.staged_feature AS s WHERE s.version_id = version.id;
    GET DIAGNOSTICS staged = ROW_COUNT;
    IF staged <> features THEN
        -- Somebody added to it meanwhile, past ler.db.rows.copy_features, which waits.
        RAISE EXCEPTION 'the staged version changed while it was published' USING ERRCODE = 'LE410';
    END IF;

    UPDATE ler.network_version AS v SET state = 'superseded'
    WHERE v.dataset_id = version.dataset_id AND v.state = 'published';
    -- Not now(), at which the transaction began: of two publications the later has the later time.
    UPDATE ler.network_version AS v
    SET state = 'published', published_at = clock_timestamp(), common_attachments = attachments
    WHERE v.id = version.id;
    UPDATE ler.network_dataset AS d SET current_version_id = version.id
    WHERE d.id = version.dataset_id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        acting, 'ler:network_version:publish', version.id,
        jsonb_build_object(
            'dataset_id', version.dataset_id, 'number', version.number, 'feature_count', features,
            'added', added, 'ended', ended
        )
    );
    RETURN features;
END
$$;


-- seq in the dataset of the attachments of a version, published in this transaction, that no feature refers to and
-- that lie nowhere.
CREATE OR REPLACE FUNCTION ler.common_attachments(staged_version uuid, dataset uuid)
RETURNS bigint[]
LANGUAGE sql STABLE
AS $$
    WITH lonely AS MATERIALIZED (
        SELECT s.gml_id
        FROM ler.staged_feature AS s
        WHERE s.version_id = staged_version AND s.feature_type = 'Informationsressource' AND s.geom IS NULL
        EXCEPT
        SELECT r.gml_id
        FROM ler.staged_feature AS s, ler.pointers(s.attributes -> 'bilag') AS r (gml_id)
        WHERE s.version_id = staged_version AND s.attributes ? 'bilag'
    )
    SELECT coalesce(array_agg(f.seq ORDER BY f.seq), '{}')
    FROM lonely AS l
    CROSS JOIN LATERAL (
        SELECT n.seq
        FROM ler.network_feature AS n
        WHERE n.dataset_id = dataset AND n.gml_id = l.gml_id AND n.removed_in IS NULL
        OFFSET 0
    ) AS f
$$;


-- Gives a staged version up: its features go, and it can no longer be published. Only its owner may.
--
--   LE401  nobody acts     LE404  no such version, or not yours     LE409  not staged any more
CREATE OR REPLACE FUNCTION ler.discard_version(version_id uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    acting constant uuid := ler.principal();
    version ler.network_version;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    SELECT * INTO version
    FROM ler.network_version AS v
    WHERE v.id = discard_version.version_id AND v.owner_id = acting
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such version' USING ERRCODE = 'LE404';
    ELSIF version.state <> 'staged' THEN
        RAISE EXCEPTION 'the version is %', version.state USING ERRCODE = 'LE409';
    END IF;
    DELETE FROM ler.staged_feature AS s WHERE s.version_id = version.id;
    UPDATE ler.network_version AS v SET state = 'discarded' WHERE v.id = version.id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        acting, 'ler:network_version:discard', version.id,
        jsonb_build_object('dataset_id', version.dataset_id, 'number', version.number)
    );
END
$$;
