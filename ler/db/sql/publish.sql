-- Makes a staged version the current one of its dataset; from then on it answers requests. Only its owner may.
-- Returns the number of its features. Refuses an empty version, which would take a whole network away, unless told to.
--
--   LE401  nobody acts             LE404  no such version, or not yours
--   LE409  not staged any more     LE422  empty     LE423  the owner already publishes another dataset
CREATE OR REPLACE FUNCTION ler.publish_version(version_id uuid, confirm_empty boolean DEFAULT false)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
SET jit = off
AS $$
DECLARE
    acting constant uuid := ler.principal();
    version ler.network_version;
    features integer;
    attachments integer[];
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;

    -- The dataset first, so that two publications of one dataset wait for each other; then the version, so that no
    -- upload can still add to it.
    PERFORM FROM ler.network_dataset AS d
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
    END IF;

    SELECT count(*) INTO features FROM ler.network_feature AS f WHERE f.version_id = version.id;
    IF features = 0 AND NOT confirm_empty THEN
        RAISE EXCEPTION 'the version is empty' USING ERRCODE = 'LE422';
    END IF;

    WITH referenced AS (
        SELECT DISTINCT r.gml_id
        FROM ler.network_feature AS f, ler.pointers(f.attributes -> 'bilag') AS r (gml_id)
        WHERE f.version_id = version.id AND f.attributes ? 'bilag'
    )
    SELECT coalesce(array_agg(f.seq ORDER BY f.seq), '{}') INTO attachments
    FROM ler.network_feature AS f
    WHERE f.version_id = version.id
        AND f.feature_type = 'Informationsressource'
        AND f.geom IS NULL
        AND f.gml_id NOT IN (SELECT r.gml_id FROM referenced AS r);

    UPDATE ler.network_version AS v SET state = 'superseded'
    WHERE v.dataset_id = version.dataset_id AND v.state = 'published';
    UPDATE ler.network_version AS v
    SET state = 'published', published_at = now(), feature_count = features, common_attachments = attachments
    WHERE v.id = version.id;
    UPDATE ler.network_dataset AS d SET current_version_id = version.id
    WHERE d.id = version.dataset_id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        acting, 'ler:network_version:publish', version.id,
        jsonb_build_object('dataset_id', version.dataset_id, 'number', version.number, 'feature_count', features)
    );
    RETURN features;
END
$$;
