-- Dispensations are given and ended by the operator alone; an owner sees its own.
CREATE POLICY own ON ler.dispensation FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY register ON ler.dispensation FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY supervising ON ler.dispensation FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.has_role('auditor')));
CREATE POLICY giving ON ler.dispensation FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.principal()) = ler.platform_operator() AND (SELECT ler.provider()) IS NULL);
CREATE POLICY ending ON ler.dispensation FOR UPDATE TO ler_app
    USING (
        (SELECT ler.principal()) = ler.platform_operator() AND (SELECT ler.provider()) IS NULL
        AND (valid_to IS NULL OR valid_to > now() AND valid_to > valid_from)
    )
    WITH CHECK (valid_to <= greatest(now(), valid_from));
GRANT SELECT ON ler.dispensation TO ler_app, ler_readonly;
GRANT INSERT (owner_id, valid_from, valid_to, reason) ON ler.dispensation TO ler_app;
GRANT UPDATE (valid_to) ON ler.dispensation TO ler_app;
