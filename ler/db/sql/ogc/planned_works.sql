-- What everybody may know of planned works and restrictions, whoever asks and whether anybody acts: the views run as
-- ler_owner, so their own predicate decides. No contacts, and no names of organisations that may be persons.
CREATE VIEW ler.ogc_planned_work AS
SELECT
    w.id, w.seq, w.geom, w.version, w.changed_at, w.title, w.organisation_id,
    CASE WHEN o.cvr IS NOT NULL THEN o.name END AS organisation_name,
    w.activity, w.method, w.depth_m, w.duration_days, w.earliest_start, w.latest_end, w.planned_start, w.road, w.surface,
    w.status, w.willing_to_share, w.ducts_wanted, w.ducts_offered, w.width_m, w.road_area_m2
FROM ler.planned_work AS w
JOIN ler.organisation AS o ON o.id = w.organisation_id
WHERE w.ended_at IS NULL AND w.status <> 'draft';

CREATE VIEW ler.ogc_restriction AS
SELECT
    r.id, r.seq, r.geom, r.version, r.changed_at, r.title, r.organisation_id,
    CASE WHEN o.cvr IS NOT NULL THEN o.name END AS organisation_name,
    r.kind, r.first_day, r.last_day, r.source, r.work_id
FROM ler.restriction AS r
JOIN ler.organisation AS o ON o.id = r.organisation_id
WHERE r.ended_at IS NULL;

GRANT SELECT ON ler.ogc_planned_work, ler.ogc_restriction TO ler_app, ler_readonly;


-- Which published works and restrictions clash, for every organisation that acts, with its own word on each and nobody else's:
-- the policies of the tables decide, as for `ler works conflicts`. `other_work_id` or `restriction_id` is the other side.
CREATE VIEW ler.ogc_work_conflict WITH (security_invoker = true) AS
SELECT
    c.id, c.geom, c.kind, c.work_id, c.other_work_id, c.restriction_id, c.distance_m, c.first_day, c.last_day, c.certain,
    c.created_at, c.changed_at,
    CASE
        WHEN j.fingerprint IS NULL THEN 'open'
        WHEN j.fingerprint = c.fingerprint THEN 'judged'
        ELSE 're-judge'
    END AS state,
    j.is_conflict
FROM ler.work_conflict AS c
LEFT JOIN ler.work_judgement AS j ON j.conflict_id = c.id AND j.organisation_id = (SELECT ler.principal())
WHERE c.ended_at IS NULL;

GRANT SELECT ON ler.ogc_work_conflict TO ler_app;
