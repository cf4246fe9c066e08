-- The audit trail: what an organisation did, or a provider for it, it may read; who audits reads all, and the chain.
CREATE POLICY own ON ler.audit_event FOR SELECT TO ler_app
    USING (actor = (SELECT ler.principal()) OR provider_id = (SELECT ler.principal()));
CREATE POLICY auditing ON ler.audit_event FOR SELECT TO ler_app
    USING ((SELECT ler.reads_all_audit()));
CREATE POLICY auditing ON ler.audit_link FOR SELECT TO ler_app
    USING ((SELECT ler.reads_all_audit()));
CREATE POLICY auditing ON ler.audit_unsealed FOR SELECT TO ler_app
    USING ((SELECT ler.reads_all_audit()));

GRANT SELECT ON ler.audit_link, ler.audit_unsealed TO ler_app;
GRANT EXECUTE ON FUNCTION
    ler.reads_all_audit(),
    ler.who_has_seen(uuid, text[], @postgis@.geometry, timestamptz, timestamptz, integer),
    ler.who_has_read(uuid, text[], @postgis@.geometry, timestamptz, timestamptz, integer)
    TO ler_app;
GRANT EXECUTE ON FUNCTION ler.seal_audit(integer) TO ler_worker;
