-- Damages: the owner's, and who supervises the place. A report is withdrawn, never changed.
CREATE POLICY own ON ler.damage FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY supervising ON ler.damage FOR SELECT TO ler_app, ler_readonly
    USING (ler.supervises(place));
CREATE POLICY reporting ON ler.damage FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));
CREATE POLICY withdrawing ON ler.damage FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()) AND withdrawn_at IS NULL)
    WITH CHECK (withdrawn_at = now());
GRANT SELECT ON ler.damage TO ler_app, ler_readonly;
GRANT INSERT (
    owner_id, reference, utility_type, happened_on, date_is, place, cause, caused_by, caused_by_cvr, caused_by_name,
    order_number, gml_id, environment, repair_cost, administration_cost, description
) ON ler.damage TO ler_app;
GRANT UPDATE (withdrawn_at) ON ler.damage TO ler_app;

CREATE POLICY own ON ler.damage_free_year FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY supervising ON ler.damage_free_year FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator() OR (SELECT ler.has_role('auditor')));
CREATE POLICY stating ON ler.damage_free_year FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));
CREATE POLICY withdrawing ON ler.damage_free_year FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()) AND withdrawn_at IS NULL)
    WITH CHECK (withdrawn_at = now());
GRANT SELECT ON ler.damage_free_year TO ler_app, ler_readonly;
GRANT INSERT (owner_id, year) ON ler.damage_free_year TO ler_app;
GRANT UPDATE (withdrawn_at) ON ler.damage_free_year TO ler_app;

-- Deviations: who reported, who owns the line, who is asked whether it does, and who supervises the place.
CREATE POLICY reporter ON ler.deviation FOR SELECT TO ler_app, ler_readonly
    USING (reporter_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.deviation FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY asked ON ler.deviation FOR SELECT TO ler_app, ler_readonly
    USING (state IN ('offered', 'orphan') AND EXISTS (
        SELECT FROM ler.line_claim AS c
        WHERE c.deviation_id = deviation.id AND c.owner_id = (SELECT ler.principal())
    ));
CREATE POLICY supervising ON ler.deviation FOR SELECT TO ler_app, ler_readonly
    USING (ler.supervises(geom));
CREATE POLICY reporting ON ler.deviation FOR INSERT TO ler_app
    WITH CHECK (reporter_id = (SELECT ler.principal()));
GRANT SELECT ON ler.deviation TO ler_app, ler_readonly;
GRANT INSERT (
    reporter_id, owner_id, request_id, kind, gml_id, geom, measured_on, accuracy_m, depth_m, utility_type, description
) ON ler.deviation TO ler_app;

CREATE POLICY own ON ler.line_claim FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY reporter ON ler.line_claim FOR SELECT TO ler_app, ler_readonly
    USING (reporter_id = (SELECT ler.principal()));
CREATE POLICY supervising ON ler.line_claim FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator() OR (SELECT ler.has_role('auditor')));
GRANT SELECT ON ler.line_claim TO ler_app, ler_readonly;

-- Photographs go with their report.
CREATE POLICY report ON ler.deviation_photo FOR SELECT TO ler_app, ler_readonly
    USING (EXISTS (SELECT FROM ler.deviation AS d WHERE d.id = deviation_photo.deviation_id));
CREATE POLICY adding ON ler.deviation_photo FOR INSERT TO ler_app
    WITH CHECK (EXISTS (
        SELECT FROM ler.deviation AS d
        WHERE d.id = deviation_photo.deviation_id AND d.reporter_id = (SELECT ler.principal())
            AND d.state IN ('offered', 'orphan', 'reported', 'acknowledged')
    ));
GRANT SELECT ON ler.deviation_photo TO ler_app, ler_readonly;
GRANT INSERT (deviation_id, number, sha256, size_bytes, media_type) ON ler.deviation_photo TO ler_app;

GRANT EXECUTE ON FUNCTION ler.supervises(@postgis@.geometry) TO ler_app, ler_readonly;
GRANT EXECUTE ON FUNCTION
    ler.move_deviation(uuid, text, text, integer),
    ler.answer_claim(uuid, boolean),
    ler.damage_statistics(integer, integer),
    ler.damage_reporting(integer, integer)
    TO ler_app;
