-- Refuses what a job found for another request than its own, or in an answer that is not the request's. Runs with the rights
-- and the path of the functions that enter what was found, which alone may call it.
--
--   LE404  another request, or a line of an answer that is not the request's
CREATE OR REPLACE FUNCTION ler.check_found(wanted uuid, rows jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    IF wanted IS DISTINCT FROM ler.request_scope() THEN
        RAISE EXCEPTION 'another request' USING ERRCODE = 'LE404';
    END IF;
    IF EXISTS (
        SELECT f.answer_id FROM jsonb_to_recordset(rows) AS f (answer_id uuid)
        EXCEPT
        SELECT a.id FROM ler.owner_answer AS a WHERE a.request_id = wanted
    ) THEN
        RAISE EXCEPTION 'an answer of another request' USING ERRCODE = 'LE404';
    END IF;
END
$$;


-- Enters what a request's dig comes too near, in the place of what was found before. Called by the request's job, after
-- ler.enter_packages has said in the same transaction that the revision is still the present one.
-- LE404 as ler.check_found says.
CREATE OR REPLACE FUNCTION ler.enter_conflicts(request_id uuid, revision integer, conflicts jsonb)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted constant uuid := enter_conflicts.request_id;
    entered integer;
BEGIN
    PERFORM ler.check_found(wanted, enter_conflicts.conflicts);
    DELETE FROM ler.object_conflict AS c WHERE c.request_id = wanted;
    INSERT INTO ler.object_conflict (
        request_id, requester_id, owner_id, answer_id, revision, gml_id, feature_type, utility_type, danger_class, zone,
        rule, unverified, limit_m, arrangement, angle_deg, drawn_m, distance_min_m, distance_max_m, below_min_m,
        below_max_m, probability, reasons, reason_da, reason_en, geom
    )
    SELECT
        wanted, a.requester_id, a.owner_id, a.id, enter_conflicts.revision, c.gml_id, c.feature_type, c.utility_type,
        c.danger_class, c.zone, c.rule, c.unverified, c.limit_m, c.arrangement, c.angle_deg, c.drawn_m,
        c.distance_min_m, c.distance_max_m, c.below_min_m, c.below_max_m, c.probability, c.reasons, c.reason_da,
        c.reason_en, c.geom::@postgis@.geometry
    FROM jsonb_to_recordset(enter_conflicts.conflicts) AS c (
        number integer, answer_id uuid, gml_id text, feature_type text, utility_type text, danger_class text, zone text,
        rule text, unverified boolean, limit_m double precision, arrangement text, angle_deg double precision,
        drawn_m double precision, distance_min_m double precision, distance_max_m double precision,
        below_min_m double precision, below_max_m double precision, probability double precision, reasons text[],
        reason_da text, reason_en text, geom text
    )
    JOIN ler.owner_answer AS a ON a.id = c.answer_id AND a.request_id = wanted
    ORDER BY c.number;
    GET DIAGNOSTICS entered = ROW_COUNT;
    UPDATE ler.excavation_request AS r SET conflicts_revision = enter_conflicts.revision WHERE r.id = wanted;
    RETURN entered;
END
$$;
