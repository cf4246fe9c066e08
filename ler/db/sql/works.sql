-- Planned works and restrictions: what is told of them, and what ends with them.

-- What of a work is told to whoever follows its area.
CREATE OR REPLACE FUNCTION ler.tell_of_works(event text, works uuid[], actor uuid)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- One notice an organisation, however many works a file brought and however many of its areas they lie in.
    PERFORM ler.tell(told.organisation_id, event, NULL, NULL, jsonb_build_object(
        'works', cardinality(told.works),
        'work_ids', to_jsonb(told.works[1:20]),
        'quiet', event <> 'work.planned'
    ))
    FROM (
        SELECT s.organisation_id, array_agg(DISTINCT w.id) AS works
        FROM ler.planned_work AS w
        JOIN ler.area_subscription AS s
            ON s.geom && w.geom AND ST_Intersects(s.geom, w.geom) AND s.ended_at IS NULL
        WHERE w.id = ANY (works) AND s.organisation_id <> w.organisation_id
            AND s.organisation_id IS DISTINCT FROM actor
        GROUP BY s.organisation_id
        ORDER BY s.organisation_id
    ) AS told;
END
$$;


CREATE OR REPLACE FUNCTION ler.on_works_planned()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM ler.tell_of_works('work.planned', array_agg(n.id), ler.principal()) FROM new_rows AS n WHERE n.status <> 'draft';
    RETURN NULL;
END
$$;

CREATE TRIGGER telling_of_planning
AFTER INSERT ON ler.planned_work
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION ler.on_works_planned();


-- A draft that is published is planned; one that stays a draft is nobody's business.
CREATE OR REPLACE FUNCTION ler.on_works_changed()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM ler.tell_of_works(changed.event, array_agg(changed.id), ler.principal())
    FROM (
        SELECT n.id, CASE
            WHEN n.ended_at IS NOT NULL OR n.status IN ('done', 'cancelled') AND o.status <> n.status THEN 'work.ended'
            WHEN o.status = 'draft' THEN 'work.planned'
            ELSE 'work.changed'
        END AS event
        FROM new_rows AS n
        JOIN old_rows AS o ON o.id = n.id
        WHERE n.status <> 'draft'
    ) AS changed
    GROUP BY changed.event
    ORDER BY changed.event;
    -- Nobody is led past a work that is not.
    WITH gone AS (
        UPDATE ler.restriction AS r
        SET ended_at = now(), changed_at = now(), version = r.version + 1
        FROM new_rows AS n
        WHERE r.work_id = n.id AND r.ended_at IS NULL
            AND (n.ended_at IS NOT NULL OR n.status IN ('done', 'cancelled'))
        RETURNING r.id
    )
    UPDATE ler.work_conflict AS c
    SET ended_at = now(), changed_at = now()
    FROM gone
    WHERE c.restriction_id = gone.id AND c.ended_at IS NULL;
    RETURN NULL;
END
$$;

CREATE TRIGGER telling_of_changes
AFTER UPDATE ON ler.planned_work
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION ler.on_works_changed();


-- Conflicts that came up, once an organisation and statement: to both sides. Who made the change sees them at once.
CREATE OR REPLACE FUNCTION ler.on_work_conflicts()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM ler.tell(told.organisation_id, 'work.conflict', NULL, NULL, jsonb_build_object(
        'conflicts', cardinality(told.conflicts),
        'conflict_ids', to_jsonb(told.conflicts[1:20]),
        'quiet', coalesce(told.organisation_id = ler.principal(), false)
    ))
    FROM (
        SELECT side.organisation_id, array_agg(DISTINCT n.id) AS conflicts
        FROM new_rows AS n
        CROSS JOIN LATERAL (
            SELECT w.organisation_id FROM ler.planned_work AS w WHERE w.id IN (n.work_id, n.other_work_id)
            UNION
            SELECT r.organisation_id FROM ler.restriction AS r WHERE r.id = n.restriction_id
        ) AS side
        GROUP BY side.organisation_id
        ORDER BY side.organisation_id
    ) AS told;
    RETURN NULL;
END
$$;

CREATE TRIGGER telling_of_conflicts
AFTER INSERT ON ler.work_conflict
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION ler.on_work_conflicts();


-- Whether the acting organisation is a side of a conflict: of a work of it, or of a restriction.
CREATE OR REPLACE FUNCTION ler.is_side(work uuid, other_work uuid, restriction uuid)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM ler.planned_work AS w
        WHERE w.id IN (is_side.work, is_side.other_work) AND w.organisation_id = (SELECT ler.principal())
    ) OR EXISTS (
        SELECT FROM ler.restriction AS r
        WHERE r.id = is_side.restriction AND r.organisation_id = (SELECT ler.principal())
    )
$$;


-- Whether the acting organisation may say that a place is not to be touched: its road authority, the operator, and of a
-- diversion who digs.
CREATE OR REPLACE FUNCTION ler.may_restrict(kind text, place @postgis@.geometry, work uuid)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT coalesce(
        ler.principal() = ler.platform_operator()
        OR 'authority' = ANY (ler.granted_roles(ler.principal(), may_restrict.place)),
        false
    ) OR may_restrict.kind = 'diversion' AND EXISTS (
        SELECT FROM ler.planned_work AS w
        WHERE w.id = may_restrict.work AND w.organisation_id = (SELECT ler.principal()) AND w.ended_at IS NULL
    )
$$;


-- Which published works and restrictions lie within a distance of some of these, which are the caller's own or published
-- themselves. As owner: under row-level security no spatial index is used.
CREATE OR REPLACE FUNCTION ler.works_near(things uuid[], reach_m double precision)
RETURNS TABLE (work_id uuid, restriction_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH thing AS MATERIALIZED (
        SELECT w.geom FROM ler.planned_work AS w
        WHERE w.id = ANY (things)
            AND (w.organisation_id = ler.principal() OR w.ended_at IS NULL AND w.status <> 'draft')
        UNION ALL
        SELECT r.geom FROM ler.restriction AS r WHERE r.id = ANY (things)
    )
    SELECT DISTINCT w.id, NULL::uuid
    FROM thing AS t
    JOIN ler.planned_work AS w ON ST_DWithin(w.geom, t.geom, reach_m)
    WHERE w.ended_at IS NULL AND w.status <> 'draft'
    UNION ALL
    SELECT DISTINCT NULL::uuid, r.id
    FROM thing AS t
    JOIN ler.restriction AS r ON ST_DWithin(r.geom, t.geom, reach_m)
    WHERE r.ended_at IS NULL
$$;


-- Published works whose footprint may lie within a distance of that of one of these. A footprint goes half a width beyond
-- its line, at its corners by a half of the root of two; a width that is not told is 1 m, and none is more than 60 m.
CREATE OR REPLACE FUNCTION ler.works_beside(works uuid[], within_m double precision)
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH near AS MATERIALIZED (
        SELECT w.geom, within_m + 0.7072 * coalesce(nullif(w.width_m, 0), 1) AS reach_m
        FROM ler.planned_work AS w
        WHERE w.id = ANY (works) AND w.ended_at IS NULL AND w.status <> 'draft'
    )
    SELECT DISTINCT w.id
    FROM near AS n
    JOIN ler.planned_work AS w ON w.geom && ST_Expand(n.geom, n.reach_m + 0.7072 * 60)
    WHERE w.ended_at IS NULL AND w.status <> 'draft'
        AND ST_DWithin(w.geom, n.geom, n.reach_m + 0.7072 * coalesce(nullif(w.width_m, 0), 1))
$$;
