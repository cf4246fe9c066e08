-- Planned works: what is published is for every organisation that acts; the public has ler.ogc_planned_work, without
-- contacts. Drafts and what ended are their organisation's. Nothing is deleted.
CREATE POLICY own ON ler.planned_work FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));
CREATE POLICY published ON ler.planned_work FOR SELECT TO ler_app, ler_readonly
    USING (ended_at IS NULL AND status <> 'draft' AND (SELECT ler.principal()) IS NOT NULL);
CREATE POLICY planning ON ler.planned_work FOR INSERT TO ler_app
    WITH CHECK (organisation_id = (SELECT ler.principal()));
CREATE POLICY changing ON ler.planned_work FOR UPDATE TO ler_app
    USING (organisation_id = (SELECT ler.principal()) AND ended_at IS NULL)
    WITH CHECK (organisation_id = (SELECT ler.principal()));
GRANT SELECT ON ler.planned_work TO ler_app, ler_readonly;
GRANT INSERT (
    organisation_id, title, activity, method, depth_m, duration_days, earliest_start, latest_end, planned_start, road,
    surface, status, willing_to_share, ducts_wanted, ducts_offered, width_m, road_area_m2, reference, contact, geom
) ON ler.planned_work TO ler_app;
GRANT UPDATE (
    title, activity, method, depth_m, duration_days, earliest_start, latest_end, planned_start, road, surface, status,
    willing_to_share, ducts_wanted, ducts_offered, width_m, road_area_m2, reference, contact, geom, version, changed_at,
    ended_at
) ON ler.planned_work TO ler_app;

CREATE POLICY own ON ler.restriction FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));
CREATE POLICY published ON ler.restriction FOR SELECT TO ler_app, ler_readonly
    USING (ended_at IS NULL AND (SELECT ler.principal()) IS NOT NULL);
CREATE POLICY restricting ON ler.restriction FOR INSERT TO ler_app
    WITH CHECK (organisation_id = (SELECT ler.principal()) AND ler.may_restrict(kind, geom, work_id));
CREATE POLICY changing ON ler.restriction FOR UPDATE TO ler_app
    USING (organisation_id = (SELECT ler.principal()) AND ended_at IS NULL)
    WITH CHECK (
        organisation_id = (SELECT ler.principal())
        AND (ended_at IS NOT NULL OR ler.may_restrict(kind, geom, work_id))
    );
GRANT SELECT ON ler.restriction TO ler_app, ler_readonly;
GRANT INSERT (organisation_id, kind, title, first_day, last_day, source, work_id, geom) ON ler.restriction TO ler_app;
GRANT UPDATE (kind, title, first_day, last_day, source, work_id, geom, version, changed_at, ended_at)
    ON ler.restriction TO ler_app;

CREATE POLICY own ON ler.area_subscription FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));
CREATE POLICY following ON ler.area_subscription FOR INSERT TO ler_app
    WITH CHECK (organisation_id = (SELECT ler.principal()));
CREATE POLICY ending ON ler.area_subscription FOR UPDATE TO ler_app
    USING (organisation_id = (SELECT ler.principal()) AND ended_at IS NULL)
    WITH CHECK (ended_at = now());
GRANT SELECT ON ler.area_subscription TO ler_app, ler_readonly;
GRANT INSERT (organisation_id, name, geom) ON ler.area_subscription TO ler_app;
GRANT UPDATE (ended_at) ON ler.area_subscription TO ler_app;

-- Conflicts follow from what is published, and are shown like it. They are entered with the change that made them, by
-- its organisation, which is one of their sides.
CREATE POLICY published ON ler.work_conflict FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) IS NOT NULL);
CREATE POLICY entering ON ler.work_conflict FOR INSERT TO ler_app
    WITH CHECK (
        (SELECT ler.principal()) = ler.platform_operator() OR ler.is_side(work_id, other_work_id, restriction_id)
    );
CREATE POLICY changing ON ler.work_conflict FOR UPDATE TO ler_app
    USING (
        ended_at IS NULL
        AND ((SELECT ler.principal()) = ler.platform_operator() OR ler.is_side(work_id, other_work_id, restriction_id))
    )
    WITH CHECK (true);
GRANT SELECT ON ler.work_conflict TO ler_app, ler_readonly;
GRANT INSERT (
    kind, work_id, other_work_id, restriction_id, geom, distance_m, first_day, last_day, certain, fingerprint
) ON ler.work_conflict TO ler_app;
GRANT UPDATE (kind, geom, distance_m, first_day, last_day, certain, fingerprint, changed_at, ended_at)
    ON ler.work_conflict TO ler_app;

-- A word on a conflict is shown to its sides, and to who supervises the place.
CREATE POLICY sides ON ler.work_judgement FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()) OR EXISTS (
        SELECT FROM ler.work_conflict AS c
        WHERE c.id = work_judgement.conflict_id
            AND (ler.is_side(c.work_id, c.other_work_id, c.restriction_id) OR ler.supervises(c.geom))
    ));
CREATE POLICY judging ON ler.work_judgement FOR INSERT TO ler_app
    WITH CHECK (organisation_id = (SELECT ler.principal()) AND EXISTS (
        SELECT FROM ler.work_conflict AS c
        WHERE c.id = work_judgement.conflict_id AND c.ended_at IS NULL
            AND (ler.is_side(c.work_id, c.other_work_id, c.restriction_id) OR ler.supervises(c.geom))
    ));
CREATE POLICY judging_again ON ler.work_judgement FOR UPDATE TO ler_app
    USING (organisation_id = (SELECT ler.principal()))
    WITH CHECK (organisation_id = (SELECT ler.principal()));
GRANT SELECT ON ler.work_judgement TO ler_app, ler_readonly;
GRANT INSERT (conflict_id, organisation_id, is_conflict, note, fingerprint) ON ler.work_judgement TO ler_app;
GRANT UPDATE (is_conflict, note, fingerprint, judged_at) ON ler.work_judgement TO ler_app;

GRANT EXECUTE ON FUNCTION
    ler.is_side(uuid, uuid, uuid), ler.may_restrict(text, @postgis@.geometry, uuid)
    TO ler_app, ler_readonly;
GRANT EXECUTE ON FUNCTION
    ler.works_near(uuid[], double precision), ler.works_beside(uuid[], double precision) TO ler_app;
