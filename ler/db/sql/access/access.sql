-- Programs and their keys: their organisation's, which ends them and changes nothing else.
CREATE POLICY own ON ler.client FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY register ON ler.client FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY adding ON ler.client FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));
CREATE POLICY ending ON ler.client FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()) OR (SELECT ler.principal()) = ler.platform_operator())
    WITH CHECK (revoked_at IS NOT NULL);
GRANT SELECT ON ler.client TO ler_app, ler_readonly;
GRANT INSERT (owner_id, name, scopes, area) ON ler.client TO ler_app;
GRANT UPDATE (revoked_at) ON ler.client TO ler_app;

CREATE POLICY own ON ler.client_key FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY adding ON ler.client_key FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));
CREATE POLICY ending ON ler.client_key FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()))
    WITH CHECK (revoked_at IS NOT NULL);
GRANT SELECT ON ler.client_key TO ler_app, ler_readonly;
GRANT INSERT (client_id, owner_id, kid, jwk) ON ler.client_key TO ler_app;
GRANT UPDATE (revoked_at) ON ler.client_key TO ler_app;

GRANT SELECT (kind, account_id, client_id, made_by, area, last_used_at, acr, amr)
    ON ler.access_token TO ler_app, ler_readonly;

-- What one may ask for is set by the operator; each sees what holds for itself.
CREATE POLICY own ON ler.request_limit FOR SELECT TO ler_app, ler_readonly
    USING (
        owner_id = (SELECT ler.principal())
        OR (SELECT ler.principal()) = ler.platform_operator()
        OR owner_id IS NULL AND (SELECT ler.principal()) IS NOT NULL
    );
CREATE POLICY setting ON ler.request_limit FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY changing ON ler.request_limit FOR UPDATE TO ler_app
    USING ((SELECT ler.principal()) = ler.platform_operator())
    WITH CHECK ((SELECT ler.principal()) = ler.platform_operator());
-- Back to what holds for all, which itself cannot be taken away.
CREATE POLICY removing ON ler.request_limit FOR DELETE TO ler_app
    USING ((SELECT ler.principal()) = ler.platform_operator() AND owner_id IS NOT NULL);
GRANT SELECT ON ler.request_limit TO ler_app, ler_readonly;
GRANT DELETE ON ler.request_limit TO ler_app;
GRANT INSERT (owner_id, requests_per_day, area_m2_per_day, area_m2_per_month, tiles, tiles_area_m2, changed_at)
    ON ler.request_limit TO ler_app;
GRANT UPDATE (requests_per_day, area_m2_per_day, area_m2_per_month, tiles, tiles_area_m2, changed_at)
    ON ler.request_limit TO ler_app;

CREATE POLICY operator ON ler.alarm FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
GRANT SELECT ON ler.alarm TO ler_app, ler_readonly;

-- Used assertions and buckets: nobody's; what is in them is asked by the functions below.
GRANT EXECUTE ON FUNCTION
    ler.find_token(text),
    ler.find_token(uuid),
    ler.make_token(uuid, text, text, text[], text, interval, @postgis@.geometry),
    ler.client_keys(uuid),
    ler.issue_client_token(uuid, text, text, timestamptz, interval, text, text, text[], interval),
    ler.find_accounts(text, text, text),
    ler.begin_session(uuid, text, text, text, text, text, text[], interval, integer, text, text[]),
    ler.count_call(uuid, text, integer),
    ler.record_refusal(text, uuid, uuid, jsonb, text, integer)
    TO ler_app;
GRANT EXECUTE ON FUNCTION ler.forget_access() TO ler_worker;
