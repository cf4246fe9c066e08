-- The register: one's own; the operator, who keeps it; the auditor, who reads it.
CREATE POLICY supervising ON ler.organisation FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.has_role('auditor')));
CREATE POLICY supervising ON ler.interest_area FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.has_role('auditor')));
-- Who may be given a mandate must be found, and who gave or holds one must be named.
CREATE POLICY provider ON ler.organisation FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) IS NOT NULL AND id IN (SELECT ler.providers()));
CREATE POLICY mandate ON ler.organisation FOR SELECT TO ler_app, ler_readonly
    USING (EXISTS (
        SELECT FROM ler.mandate AS m
        WHERE m.owner_id = organisation.id AND m.provider_id = (SELECT ler.principal())
            OR m.provider_id = organisation.id AND m.owner_id = (SELECT ler.principal())
    ));
CREATE POLICY keeping ON ler.organisation FOR UPDATE TO ler_app
    USING (id = (SELECT ler.principal()) OR (SELECT ler.principal()) = ler.platform_operator())
    WITH CHECK (id = (SELECT ler.principal()) OR (SELECT ler.principal()) = ler.platform_operator());
GRANT UPDATE (name, email, phone, address, language, anonymous, duties) ON ler.organisation TO ler_app;
GRANT INSERT (address, language, anonymous, duties) ON ler.organisation TO ler_app;

-- An owner says itself where it has lines.
CREATE POLICY own_registering ON ler.interest_area FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND (SELECT ler.has_role('owner')));
CREATE POLICY ending ON ler.interest_area FOR UPDATE TO ler_app
    USING (
        ended_at IS NULL
        AND (owner_id = (SELECT ler.principal()) OR (SELECT ler.principal()) = ler.platform_operator())
    )
    WITH CHECK (ended_at = now());
GRANT UPDATE (ended_at) ON ler.interest_area TO ler_app;
-- Whom to turn to goes into the package.
GRANT SELECT (contact_person, contact_address, contact_email) ON ler.interest_area TO ler_worker;
GRANT INSERT (remark, contact_person, contact_address, contact_email, voluntary) ON ler.interest_area TO ler_app;

CREATE POLICY own ON ler.account FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));
CREATE POLICY register ON ler.account FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
-- Nobody who acts by mandate makes members, mandates, grants or tokens, which would outlive it, or ends them.
CREATE POLICY making ON ler.account AS RESTRICTIVE FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.provider()) IS NULL);
CREATE POLICY making ON ler.mandate AS RESTRICTIVE FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.provider()) IS NULL);
CREATE POLICY ending_alone ON ler.mandate AS RESTRICTIVE FOR UPDATE TO ler_app
    USING ((SELECT ler.provider()) IS NULL);
CREATE POLICY making ON ler.grant AS RESTRICTIVE FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.provider()) IS NULL);
CREATE POLICY ending_alone ON ler.grant AS RESTRICTIVE FOR UPDATE TO ler_app
    USING ((SELECT ler.provider()) IS NULL);
CREATE POLICY making ON ler.access_token AS RESTRICTIVE FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.provider()) IS NULL);
CREATE POLICY ending_alone ON ler.access_token AS RESTRICTIVE FOR UPDATE TO ler_app
    USING ((SELECT ler.provider()) IS NULL);
CREATE POLICY adding ON ler.account FOR INSERT TO ler_app
    WITH CHECK (organisation_id = (SELECT ler.principal()) OR (SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY making_administrators ON ler.account AS RESTRICTIVE FOR UPDATE TO ler_app
    USING ((SELECT ler.provider()) IS NULL);
CREATE POLICY changing ON ler.account FOR UPDATE TO ler_app
    USING (
        ended_at IS NULL
        AND (organisation_id = (SELECT ler.principal()) OR (SELECT ler.principal()) = ler.platform_operator())
    )
    WITH CHECK (
        (ended_at IS NULL OR ended_at = now())
        AND (organisation_id = (SELECT ler.principal()) OR (SELECT ler.principal()) = ler.platform_operator())
    );
GRANT SELECT ON ler.account TO ler_app;
GRANT SELECT (id, organisation_id, name, email, language, administrator, created_at, ended_at)
    ON ler.account TO ler_readonly;
GRANT INSERT (organisation_id, name, email, language, administrator) ON ler.account TO ler_app;
GRANT UPDATE (name, email, language, administrator, ended_at) ON ler.account TO ler_app;

-- Roles are granted and ended by the operator alone.
CREATE POLICY own ON ler.grant FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));
CREATE POLICY register ON ler.grant FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY supervising ON ler.grant FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.has_role('auditor')));
CREATE POLICY granting ON ler.grant FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY ending ON ler.grant FOR UPDATE TO ler_app
    USING (
        (SELECT ler.principal()) = ler.platform_operator()
        AND (valid_to IS NULL OR valid_to > now() AND valid_to > valid_from)
    )
    WITH CHECK (valid_to <= greatest(now(), valid_from));
GRANT SELECT ON ler.grant TO ler_app, ler_readonly;
GRANT INSERT (organisation_id, role, area, valid_from, valid_to, note) ON ler.grant TO ler_app;
GRANT UPDATE (valid_to) ON ler.grant TO ler_app;

-- A mandate is seen and ended by both, given by the one.
CREATE POLICY own ON ler.mandate FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()) OR provider_id = (SELECT ler.principal()));
CREATE POLICY register ON ler.mandate FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY supervising ON ler.mandate FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.has_role('auditor')));
CREATE POLICY giving ON ler.mandate FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND provider_id IN (SELECT ler.providers()));
CREATE POLICY ending ON ler.mandate FOR UPDATE TO ler_app
    USING (
        revoked_at IS NULL AND (
            owner_id = (SELECT ler.principal()) OR provider_id = (SELECT ler.principal())
            OR (SELECT ler.principal()) = ler.platform_operator()
        )
    )
    WITH CHECK (revoked_at = now());
GRANT SELECT ON ler.mandate TO ler_app, ler_readonly;
GRANT INSERT (owner_id, provider_id, scopes, valid_from, valid_to, note) ON ler.mandate TO ler_app;
GRANT UPDATE (revoked_at) ON ler.mandate TO ler_app;

-- Who asks an owner may turn to it.
CREATE POLICY own ON ler.contact FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY asked ON ler.contact FOR SELECT TO ler_app, ler_readonly
    USING (EXISTS (
        SELECT FROM ler.owner_request AS q
        WHERE q.requester_id = (SELECT ler.principal()) AND q.owner_id = contact.owner_id
    ));
CREATE POLICY register ON ler.contact FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY job ON ler.contact FOR SELECT TO ler_worker
    USING (owner_id IN (
        SELECT q.owner_id FROM ler.owner_request AS q WHERE q.request_id = (SELECT ler.request_scope())
    ));
CREATE POLICY adding ON ler.contact FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND (SELECT ler.has_role('owner')));
CREATE POLICY changing ON ler.contact FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()))
    WITH CHECK (owner_id = (SELECT ler.principal()));
CREATE POLICY removing ON ler.contact FOR DELETE TO ler_app
    USING (owner_id = (SELECT ler.principal()));
GRANT SELECT, DELETE ON ler.contact TO ler_app;
GRANT SELECT ON ler.contact TO ler_readonly, ler_worker;
GRANT INSERT (owner_id, utility_type, purpose, rank, name, email, phone) ON ler.contact TO ler_app;
GRANT UPDATE (utility_type, purpose, rank, name, email, phone, changed_at) ON ler.contact TO ler_app;

-- Asked by policies, and by who is nobody yet.
GRANT EXECUTE ON FUNCTION ler.granted_roles(uuid, @postgis@.geometry), ler.has_role(text), ler.providers()
    TO ler_app, ler_worker, ler_readonly;
GRANT EXECUTE ON FUNCTION
    ler.mandate_of(uuid, text),
    ler.revise_interest_area(uuid, integer, text[], @postgis@.geometry, text, text, text, text, boolean)
    TO ler_app;
