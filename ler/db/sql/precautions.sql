-- Enters which of the owners' precautions hold for a request, in the place of what was found before. Called by the
-- request's job, after ler.enter_packages has said in the same transaction that the revision is still the present one.
-- LE404 as ler.check_found says.
CREATE OR REPLACE FUNCTION ler.enter_precautions(request_id uuid, revision integer, precautions jsonb)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted constant uuid := enter_precautions.request_id;
    entered integer;
BEGIN
    PERFORM ler.check_found(wanted, enter_precautions.precautions);
    DELETE FROM ler.precaution_hit AS p WHERE p.request_id = wanted;
    INSERT INTO ler.precaution_hit (
        request_id, requester_id, owner_id, answer_id, revision, utility_type, priority, highest, measure_da,
        measure_en, contact, notice_days, lines, gml_id, feature_type, distance_min_m, distance_max_m, reasons,
        reason_da, reason_en, geom
    )
    SELECT
        wanted, a.requester_id, a.owner_id, a.id, enter_precautions.revision, p.utility_type, p.priority, p.highest,
        p.measure_da, p.measure_en, p.contact, p.notice_days, p.lines, p.gml_id, p.feature_type, p.distance_min_m,
        p.distance_max_m, p.reasons, p.reason_da, p.reason_en, p.geom::@postgis@.geometry
    FROM jsonb_to_recordset(enter_precautions.precautions) AS p (
        number integer, answer_id uuid, utility_type text, priority integer, highest boolean, measure_da text,
        measure_en text, contact text, notice_days integer, lines integer, gml_id text, feature_type text,
        distance_min_m double precision, distance_max_m double precision, reasons text[], reason_da text,
        reason_en text, geom text
    )
    JOIN ler.owner_answer AS a ON a.id = p.answer_id AND a.request_id = wanted
    ORDER BY p.number;
    GET DIAGNOSTICS entered = ROW_COUNT;
    RETURN entered;
END
$$;
