-- Conflicts are entered by ler.enter_conflicts alone, and seen like the lines that they are of.
CREATE POLICY requester ON ler.object_conflict FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.object_conflict FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
GRANT SELECT ON ler.object_conflict TO ler_app, ler_readonly;
GRANT EXECUTE ON FUNCTION ler.enter_conflicts(uuid, integer, jsonb) TO ler_worker;

-- What an owner asks for its own lines: its own, and what the job of a request that asked it needs to know.
CREATE POLICY own ON ler.owner_clearance FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.owner_clearance FOR SELECT TO ler_worker
    USING (owner_id IN (
        SELECT q.owner_id FROM ler.owner_request AS q WHERE q.request_id = (SELECT ler.request_scope())
    ));
CREATE POLICY asking ON ler.owner_clearance FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND (SELECT ler.has_role('owner')));
CREATE POLICY ending ON ler.owner_clearance FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()) AND ended_at IS NULL)
    WITH CHECK (ended_at IS NOT NULL);
GRANT SELECT ON ler.owner_clearance TO ler_app, ler_readonly, ler_worker;
GRANT INSERT (owner_id, name, rule) ON ler.owner_clearance TO ler_app;
GRANT UPDATE (ended_at) ON ler.owner_clearance TO ler_app;
