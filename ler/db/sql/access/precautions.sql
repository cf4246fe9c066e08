-- Which precautions hold is entered by ler.enter_precautions alone, and seen like the lines for which they hold.
CREATE POLICY requester ON ler.precaution_hit FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.precaution_hit FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
GRANT SELECT ON ler.precaution_hit TO ler_app, ler_readonly;
GRANT EXECUTE ON FUNCTION ler.enter_precautions(uuid, integer, jsonb) TO ler_worker;

-- An owner's table: its own, and what the job of a request that asked it needs to know.
CREATE POLICY own ON ler.owner_precaution FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.owner_precaution FOR SELECT TO ler_worker
    USING (owner_id IN (
        SELECT q.owner_id FROM ler.owner_request AS q WHERE q.request_id = (SELECT ler.request_scope())
    ));
CREATE POLICY setting ON ler.owner_precaution FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND (SELECT ler.has_role('owner')));
CREATE POLICY ending ON ler.owner_precaution FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()) AND ended_at IS NULL)
    WITH CHECK (ended_at IS NOT NULL);
CREATE POLICY own ON ler.precaution_area FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.precaution_area FOR SELECT TO ler_worker
    USING (owner_id IN (
        SELECT q.owner_id FROM ler.owner_request AS q WHERE q.request_id = (SELECT ler.request_scope())
    ));
CREATE POLICY setting ON ler.precaution_area FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND (SELECT ler.has_role('owner')));
GRANT SELECT ON ler.owner_precaution, ler.precaution_area TO ler_app, ler_readonly, ler_worker;
GRANT INSERT (owner_id, rows) ON ler.owner_precaution TO ler_app;
GRANT UPDATE (ended_at) ON ler.owner_precaution TO ler_app;
GRANT INSERT (table_id, owner_id, name, geom) ON ler.precaution_area TO ler_app;
