-- Upkeep of networks: what nobody needs any more goes. One's own, or, for the operator, everybody's.

-- Removes the features of versions that ended at least `keep_days` days ago, that no answer refers to, and that are not
-- current. A feature goes when no version that stays holds it. The versions' own rows stay: who published what, when.
--
-- From the day on which a version ended, not was published: a match that pinned it a moment before still reads it.
--
--   LE401  nobody acts     LE422  less than a day
CREATE OR REPLACE FUNCTION ler.purge_versions(keep_days integer)
RETURNS TABLE (versions integer, features bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    acting constant uuid := ler.principal();
    dataset uuid;
    gone integer[];
    kept integer[];
    removed bigint;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    ELSIF keep_days IS NULL OR keep_days < 1 THEN
        RAISE EXCEPTION 'a version is kept for a day at least' USING ERRCODE = 'LE422';
    END IF;
    versions := 0;
    features := 0;
    FOR dataset IN
        SELECT d.id FROM ler.network_dataset AS d
        WHERE d.owner_id = acting OR acting = ler.platform_operator()
        ORDER BY d.id
    LOOP
        -- Publishing waits meanwhile, matching does not.
        PERFORM FROM ler.network_dataset AS d WHERE d.id = dataset FOR NO KEY UPDATE;
        SELECT
            coalesce(array_agg(v.number) FILTER (WHERE v.goes), '{}'),
            coalesce(array_agg(v.number ORDER BY v.number) FILTER (WHERE NOT v.goes), '{}')
        INTO gone, kept
        FROM (
            SELECT v.number,
                v.state = 'superseded'
                AND v.next_published_at < now() - make_interval(days => keep_days)
                -- Whatever was delivered was delivered with an answer.
                AND NOT EXISTS (SELECT FROM ler.owner_answer AS a WHERE a.version_id = v.id) AS goes
            FROM (
                SELECT v.*, lead(v.published_at) OVER (ORDER BY v.number) AS next_published_at
                FROM ler.network_version AS v
                WHERE v.dataset_id = dataset AND v.published_at IS NOT NULL
            ) AS v
            WHERE v.purged_at IS NULL
        ) AS v;
        CONTINUE WHEN gone = '{}';
        DELETE FROM ler.network_feature AS f
        WHERE f.dataset_id = dataset AND f.removed_in IS NOT NULL AND NOT EXISTS (
            SELECT FROM unnest(kept) AS k (number) WHERE ler.is_valid_in(k.number, f.added_in, f.removed_in)
        );
        GET DIAGNOSTICS removed = ROW_COUNT;
        UPDATE ler.network_version AS v SET purged_at = now() WHERE v.dataset_id = dataset AND v.number = ANY (gone);
        INSERT INTO ler.audit_event (actor, action, object_id, details)
        VALUES (
            acting, 'ler:network_version:purge', dataset,
            jsonb_build_object('numbers', to_jsonb(gone), 'features', removed)
        );
        versions := versions + cardinality(gone);
        features := features + removed;
    END LOOP;
    RETURN NEXT;
END
$$;


-- Tidies staging: discards versions that can no longer be published - because a crash took their features, another
-- version was published since, or nobody decided for `keep_days` days - and removes features of versions that are not
-- staged. Returns how many versions were discarded and features removed.
--
--   LE401  nobody acts     LE422  less than a day
CREATE OR REPLACE FUNCTION ler.sweep_staging(keep_days integer)
RETURNS TABLE (versions integer, features bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    acting constant uuid := ler.principal();
    version ler.network_version;
    removed bigint;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    ELSIF keep_days IS NULL OR keep_days < 1 THEN
        RAISE EXCEPTION 'a staged version is kept for a day at least' USING ERRCODE = 'LE422';
    END IF;
    versions := 0;
    -- An upload under way is another transaction's: its version is not seen here. One that is being published is passed.
    FOR version IN
        SELECT v.* FROM ler.network_version AS v
        WHERE v.state = 'staged' AND (v.owner_id = acting OR acting = ler.platform_operator())
        ORDER BY v.id
        FOR UPDATE SKIP LOCKED
    LOOP
        IF version.created_at < now() - make_interval(days => keep_days)
            OR version.feature_count <> (
                SELECT count(*) FROM ler.staged_feature AS s WHERE s.version_id = version.id
            )
            OR version.base_number IS DISTINCT FROM (
                SELECT c.number
                FROM ler.network_dataset AS d
                JOIN ler.network_version AS c ON c.id = d.current_version_id
                WHERE d.id = version.dataset_id
            )
        THEN
            UPDATE ler.network_version AS v SET state = 'discarded' WHERE v.id = version.id;
            INSERT INTO ler.audit_event (actor, action, object_id, details)
            VALUES (
                acting, 'ler:network_version:discard', version.id,
                jsonb_build_object('dataset_id', version.dataset_id, 'number', version.number, 'swept', true)
            );
            versions := versions + 1;
        END IF;
    END LOOP;
    DELETE FROM ler.staged_feature AS s
    USING ler.network_version AS v
    WHERE v.id = s.version_id AND v.state <> 'staged' AND (v.owner_id = acting OR acting = ler.platform_operator());
    GET DIAGNOSTICS removed = ROW_COUNT;
    features := removed;
    RETURN NEXT;
END
$$;
