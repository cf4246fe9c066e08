-- What becomes known in the area of a request while it is valid: lines of a version that was published since, and an
-- owner with a new interest area. The act itself only notes that there is something to look through (a row of
-- ler.change_task); the worker looks through the valid requests, page by page, and tells whoever holds what is not so any
-- more. A publication of millions of rows thus waits for nobody, and no request waits for it.

CREATE OR REPLACE FUNCTION ler.on_publication()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    INSERT INTO ler.change_task (owner_id, version_id) VALUES (NEW.owner_id, NEW.current_version_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER telling
AFTER UPDATE OF current_version_id ON ler.network_dataset
FOR EACH ROW
WHEN (OLD.current_version_id IS DISTINCT FROM NEW.current_version_id AND NEW.current_version_id IS NOT NULL)
EXECUTE FUNCTION ler.on_publication();

CREATE OR REPLACE FUNCTION ler.on_interest_area()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    INSERT INTO ler.change_task (owner_id, interest_area_id) VALUES (NEW.owner_id, NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER telling
AFTER INSERT ON ler.interest_area
FOR EACH ROW EXECUTE FUNCTION ler.on_interest_area();


-- How many features in the reach of a request a version added, took away or changed, for a request that was answered
-- from an older version; and the delivered ones without a place that it took away or changed. Of what may not be shown to
-- everybody, in this version or the one before, only whether something in the cells that tell of it (ler.sensitive_near) is not
-- as it was, `withheld`: neither what nor how much. NULL when nothing.
CREATE OR REPLACE FUNCTION ler.changes_in_reach(
    wanted uuid, owner uuid, dataset uuid, number integer, area @postgis@.geometry, reach @postgis@.geometry,
    unknown_m double precision
)
RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH withheld AS MATERIALIZED (
        SELECT s.seq, s.cells
        FROM unnest(ARRAY[changes_in_reach.number, changes_in_reach.number - 1]) AS v (number)
        CROSS JOIN LATERAL ler.sensitive_near(dataset, v.number, reach, '{}', unknown_m) AS s
        WHERE ler.owners_with_rules(ARRAY[owner]) <> '{}'
    ),
    touched AS (
        SELECT f.gml_id, f.added_in = changes_in_reach.number AS is_new
        FROM (
            SELECT n.seq, n.gml_id, n.dataset_id, n.added_in, n.removed_in, n.geom, n.feature_type, n.horizontal_accuracy,
                n.drawing_method, n.attributes
            FROM ler.network_feature AS n
            WHERE n.geom && ST_Expand(reach, ler.widest_band_m(unknown_m))
            OFFSET 0
        ) AS f
        WHERE f.dataset_id = dataset
            AND (f.added_in = changes_in_reach.number OR f.removed_in = changes_in_reach.number)
            AND (
                ST_Intersects(f.geom, reach)
                OR unknown_m IS NOT NULL AND ST_DWithin(
                    f.geom, area,
                    ler.half_band_m(
                        f.feature_type, f.horizontal_accuracy, f.drawing_method, f.attributes, f.geom, unknown_m
                    )
                )
            )
            AND NOT EXISTS (SELECT FROM withheld AS w WHERE w.seq = f.seq)
        UNION ALL
        SELECT f.gml_id, false
        FROM ler.package_feature AS p
        JOIN ler.owner_answer AS a ON a.id = p.answer_id AND a.replaced_at IS NULL
        CROSS JOIN LATERAL (
            SELECT n.gml_id
            FROM ler.network_feature AS n
            WHERE n.dataset_id = dataset AND n.gml_id = p.gml_id AND n.removed_in = changes_in_reach.number
            OFFSET 0
        ) AS f
        WHERE p.request_id = wanted AND p.owner_id = owner AND p.geom IS NULL
    ),
    feature AS (
        SELECT bool_or(t.is_new) AS is_new, bool_or(NOT t.is_new) AS was_there
        FROM touched AS t
        GROUP BY t.gml_id
    )
    SELECT CASE WHEN count(f) > 0 OR hidden.found THEN jsonb_build_object(
        'added', count(*) FILTER (WHERE f.is_new AND NOT f.was_there),
        'removed', count(*) FILTER (WHERE NOT f.is_new),
        'changed', count(*) FILTER (WHERE f.is_new AND f.was_there),
        'withheld', hidden.found
    ) END
    FROM (
        SELECT EXISTS (
            SELECT
            FROM withheld AS w
            CROSS JOIN LATERAL (
                SELECT n.added_in, n.removed_in
                FROM ler.network_feature AS n
                WHERE n.dataset_id = dataset AND n.seq = w.seq
                OFFSET 0
            ) AS n
            WHERE w.cells IS NOT NULL
                AND (n.added_in = changes_in_reach.number OR n.removed_in = changes_in_reach.number)
        )
    ) AS hidden (found)
    LEFT JOIN feature AS f ON true
    GROUP BY hidden.found
$$;


-- Looks for a task through at most `most` of the valid requests and tells whom it concerns, each once; returns how many
-- it looked at, 0 when there is nothing to do.
--
-- Each task is gone through twice: at once, and again when every transaction has ended that may have matched a request
-- against what was before and was not to be seen the first time. Those have numbers below the horizon.
CREATE OR REPLACE FUNCTION ler.tell_changes(most integer)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    task ler.change_task;
    version ler.network_version;
    place ler.interest_area;
    request record;
    candidates uuid[];
    facts jsonb;
    seen integer := 0;
BEGIN
    SELECT * INTO task
    FROM ler.change_task AS t
    WHERE t.done_at IS NULL AND (
        t.looked_at IS NULL OR pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= t.horizon
    )
    ORDER BY t.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT * INTO version FROM ler.network_version AS v WHERE v.id = task.version_id;
    SELECT * INTO place FROM ler.interest_area AS i WHERE i.id = task.interest_area_id;
    IF task.after_request IS NULL AND task.looked_at IS NULL THEN
        UPDATE ler.change_task AS t
        SET horizon = pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        WHERE t.id = task.id;
    END IF;

    -- Few requests meet an area, which the index of their areas finds; which of them an owner has answered from its
    -- network, their answers tell.
    IF place.id IS NOT NULL THEN
        candidates := ARRAY(
            SELECT r.id
            FROM ler.excavation_request AS r
            WHERE r.state IN ('open', 'answered', 'complete') AND r.area && place.geom
                AND r.id > coalesce(task.after_request, '00000000-0000-0000-0000-000000000000')
            ORDER BY r.id
            LIMIT most
        );
    ELSE
        candidates := ARRAY(
            SELECT r.id
            FROM ler.excavation_request AS r
            WHERE r.state IN ('open', 'answered', 'complete')
                AND r.id > coalesce(task.after_request, '00000000-0000-0000-0000-000000000000')
            ORDER BY r.id
            LIMIT most
        );
    END IF;

    FOR request IN
        SELECT r.id, r.requester_id, r.utility_types, r.area, r.clip_buffer_m, r.unknown_accuracy_m
        FROM unnest(candidates) AS c (id)
        CROSS JOIN LATERAL (SELECT * FROM ler.excavation_request AS x WHERE x.id = c.id OFFSET 0) AS r
        ORDER BY r.id
    LOOP
        seen := seen + 1;
        task.after_request := request.id;
        facts := CASE
            WHEN version.id IS NOT NULL THEN ler.network_change(
                task.owner_id, version, request.id, request.area, request.clip_buffer_m,
                request.unknown_accuracy_m
            )
            WHEN place.id IS NOT NULL THEN ler.owner_change(place, request.id, request.area, request.utility_types)
        END;
        CONTINUE WHEN facts IS NULL;
        -- Whoever changes a request holds its row; these are locked in the order of their ids.
        PERFORM FROM ler.excavation_request AS r
        WHERE r.id = request.id AND r.state IN ('open', 'answered', 'complete')
            AND r.period_to >= (now() AT TIME ZONE 'Europe/Copenhagen')::date
        FOR UPDATE;
        CONTINUE WHEN NOT FOUND;
        PERFORM ler.tell(
            request.requester_id,
            CASE WHEN version.id IS NOT NULL THEN 'network.changed' ELSE 'owner.appeared' END,
            request.id, task.owner_id, facts
        );
    END LOOP;

    UPDATE ler.change_task AS t
    SET after_request = CASE WHEN seen < most THEN NULL ELSE task.after_request END,
        looked_at = CASE WHEN seen < most THEN coalesce(t.looked_at, now()) ELSE t.looked_at END,
        done_at = CASE WHEN seen < most AND t.looked_at IS NOT NULL THEN now() END
    WHERE t.id = task.id;
    RETURN greatest(seen, 1);
END
$$;


-- What a version changes for a request; NULL when nothing, when it was answered from this version or a later one, or
-- not by the platform, or when it has been told.
CREATE OR REPLACE FUNCTION ler.network_change(
    owner uuid, version ler.network_version, wanted uuid, area @postgis@.geometry, clip_buffer_m double precision,
    unknown_m double precision
)
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    found jsonb;
BEGIN
    IF NOT EXISTS (
        SELECT
        FROM ler.owner_answer AS a
        JOIN ler.network_version AS v ON v.id = a.version_id
        WHERE a.request_id = wanted AND a.owner_id = owner AND a.replaced_at IS NULL
            AND v.dataset_id = version.dataset_id AND v.number < version.number
    ) THEN
        RETURN NULL;
    END IF;
    found := ler.changes_in_reach(
        wanted, owner, version.dataset_id, version.number, area, ler.reach(area, clip_buffer_m), unknown_m
    );
    IF found IS NULL OR ler.is_told(wanted, 'network.changed', 'version_id', version.id) THEN
        RETURN NULL;
    END IF;
    RETURN found || jsonb_build_object('version_id', version.id, 'published_at', version.published_at);
END
$$;


-- What a new interest area means for a request: an owner that was not asked. NULL when it has ended, does not touch, when its kinds
-- of lines are not asked about, when the owner was asked for another area, or when it has been told.
CREATE OR REPLACE FUNCTION ler.owner_change(
    place ler.interest_area, wanted uuid, area @postgis@.geometry, wanted_types text[]
)
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    IF place.ended_at IS NOT NULL
        OR NOT (place.geom && area AND ST_Intersects(place.geom, area))
        OR NOT coalesce(place.utility_types && wanted_types, true)
        OR EXISTS (
            SELECT FROM ler.owner_request AS q WHERE q.request_id = wanted AND q.owner_id = place.owner_id
        )
        -- Matched after it appeared, and not asked all the same: such a request asks no owners.
        OR NOT EXISTS (
            SELECT FROM ler.excavation_request AS r WHERE r.id = wanted AND r.matched_at IS NOT NULL
        )
        OR ler.is_told(wanted, 'owner.appeared', 'interest_area_id', place.id)
    THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object(
        'interest_area_id', place.id, 'registration_number', place.registration_number,
        'utility_types', place.utility_types
    );
END
$$;


-- Whether a request's requester has been told of that thing.
CREATE OR REPLACE FUNCTION ler.is_told(wanted uuid, what text, name text, thing uuid)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM ler.notice AS n
        WHERE n.request_id = wanted AND n.kind = what AND n.data ->> name = thing::text
    )
$$;
