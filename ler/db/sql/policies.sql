-- Which rows each role sees and writes. Written anew as a whole: what is not allowed here is not allowed.
--
-- Every table of the schema is closed: one that is added and forgotten below can be read by nobody but ler_owner, as
-- whom only migrations and our SECURITY DEFINER functions act. Its policy is `true` and thus folds away, so that those
-- functions keep their index scans. Principal and scope are asked in sub-selects, which run once a query instead of
-- once a row.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT oid::regclass AS relation FROM pg_class
        WHERE relnamespace = 'ler'::regnamespace AND relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', found.relation);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', found.relation);
        EXECUTE format('DROP POLICY IF EXISTS table_owner ON %s', found.relation);
        EXECUTE format(
            'CREATE POLICY table_owner ON %s TO ler_owner USING (true) WITH CHECK (true)', found.relation
        );
    END LOOP;
END
$$;


-- Organisations and interest areas: one's own; the operator sees the register that it keeps.
CREATE POLICY own ON ler.organisation FOR SELECT TO ler_app, ler_readonly
    USING (id = (SELECT ler.principal()));
-- Who was asked may be called, and who asks may be called back.
CREATE POLICY asked ON ler.organisation FOR SELECT TO ler_app, ler_readonly
    USING (EXISTS (
        SELECT FROM ler.owner_request AS q
        WHERE q.requester_id = (SELECT ler.principal()) AND q.owner_id = organisation.id
    ));
-- Not a private person who does not wish to be named: its request says how it is reached.
CREATE POLICY asking ON ler.organisation FOR SELECT TO ler_app, ler_readonly
    USING (NOT anonymous AND EXISTS (
        SELECT FROM ler.owner_request AS q
        WHERE q.owner_id = (SELECT ler.principal()) AND q.requester_id = organisation.id
    ));
CREATE POLICY register ON ler.organisation FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY registering ON ler.organisation FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY job ON ler.organisation FOR SELECT TO ler_worker
    USING (
        id IN (SELECT q.owner_id FROM ler.owner_request AS q WHERE q.request_id = (SELECT ler.request_scope()))
        OR id IN (SELECT r.requester_id FROM ler.excavation_request AS r WHERE r.id = (SELECT ler.request_scope()))
    );

CREATE POLICY own ON ler.interest_area FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY register ON ler.interest_area FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY registering ON ler.interest_area FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY job ON ler.interest_area FOR SELECT TO ler_worker
    USING (id IN (
        SELECT q.interest_area_id FROM ler.owner_request AS q WHERE q.request_id = (SELECT ler.request_scope())
    ));


-- Networks: the owner's alone. What is published, and what becomes of what was staged, changes only through
-- ler.publish_version and ler.discard_version.
CREATE POLICY own ON ler.network_dataset FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY creating ON ler.network_dataset FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));

CREATE POLICY own ON ler.network_version FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY staging ON ler.network_version FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND state = 'staged');
CREATE POLICY correcting ON ler.network_version FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()) AND state = 'staged')
    WITH CHECK (owner_id = (SELECT ler.principal()) AND state = 'staged');
CREATE POLICY job ON ler.network_version FOR SELECT TO ler_worker
    USING (id IN (
        SELECT a.version_id FROM ler.owner_answer AS a WHERE a.request_id = (SELECT ler.request_scope())
    ));

CREATE POLICY own ON ler.network_feature FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));

CREATE POLICY own ON ler.staged_feature FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY staging ON ler.staged_feature FOR INSERT TO ler_app
    WITH CHECK (
        owner_id = (SELECT ler.principal())
        AND version_id IN (
            SELECT v.id FROM ler.network_version AS v
            WHERE v.owner_id = (SELECT ler.principal()) AND v.state = 'staged'
        )
    );

CREATE POLICY own ON ler.network_quality FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY measuring ON ler.network_quality FOR INSERT TO ler_app
    WITH CHECK (
        owner_id = (SELECT ler.principal())
        AND version_id IN (
            SELECT v.id FROM ler.network_version AS v
            WHERE v.owner_id = (SELECT ler.principal()) AND v.state = 'staged'
        )
    );


-- Drawings: the owner's alone. Which of them are delivered is stored by ler.match_request.
CREATE POLICY own ON ler.drawing FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY adding ON ler.drawing FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));
CREATE POLICY removing ON ler.drawing FOR DELETE TO ler_app
    USING (owner_id = (SELECT ler.principal()));

CREATE POLICY requester ON ler.package_drawing FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.package_drawing FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.package_drawing FOR SELECT TO ler_worker
    USING (request_id = (SELECT ler.request_scope()));


-- Requests: the requester's own. What comes of them is written by ler.match_request and seen by the requester, by the
-- owner whose it is, and by the worker that builds the package of this one request.
CREATE POLICY own ON ler.excavation_request FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY asking ON ler.excavation_request FOR INSERT TO ler_app
    WITH CHECK (requester_id = (SELECT ler.principal()) AND matched_at IS NULL);
CREATE POLICY job ON ler.excavation_request FOR SELECT TO ler_worker
    USING (id = (SELECT ler.request_scope()));

CREATE POLICY requester ON ler.owner_request FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.owner_request FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.owner_request FOR SELECT TO ler_worker
    USING (request_id = (SELECT ler.request_scope()));

CREATE POLICY requester ON ler.owner_answer FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.owner_answer FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.owner_answer FOR SELECT TO ler_worker
    USING (request_id = (SELECT ler.request_scope()));

CREATE POLICY requester ON ler.package_feature FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.package_feature FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.package_feature FOR SELECT TO ler_worker
    USING (request_id = (SELECT ler.request_scope()));

CREATE POLICY requester ON ler.package FOR SELECT TO ler_app, ler_readonly
    USING (EXISTS (
        SELECT FROM ler.excavation_request AS r
        WHERE r.id = package.request_id AND r.requester_id = (SELECT ler.principal())
    ));
CREATE POLICY owner ON ler.package FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.package FOR SELECT TO ler_worker
    USING (request_id = (SELECT ler.request_scope()));


-- The audit trail: everybody who acts appends under its own name, a worker under none; the operator reads.
CREATE POLICY acting ON ler.audit_event FOR INSERT TO ler_app
    WITH CHECK (actor = (SELECT ler.principal()));
CREATE POLICY job ON ler.audit_event FOR INSERT TO ler_worker
    WITH CHECK (actor IS NULL AND (SELECT ler.request_scope()) IS NOT NULL);
CREATE POLICY operator ON ler.audit_event FOR SELECT TO ler_app
    USING ((SELECT ler.principal()) = ler.platform_operator());


-- Uploads: the owner's alone; the worker acts for the owner of the upload that its job names.
CREATE POLICY own ON ler.upload FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY beginning ON ler.upload FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND state = 'receiving');
CREATE POLICY moving ON ler.upload FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()))
    WITH CHECK (owner_id = (SELECT ler.principal()));

CREATE POLICY own ON ler.upload_event FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY appending ON ler.upload_event FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));


-- Notices: for whom they are. Triggers write them.
CREATE POLICY own ON ler.notice FOR SELECT TO ler_app, ler_readonly
    USING (audience_id = (SELECT ler.principal()));


-- Tokens: handed out by the operator, seen and revoked by their owner as well.
CREATE POLICY own ON ler.access_token FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY register ON ler.access_token FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY handing_out ON ler.access_token FOR INSERT TO ler_app
    WITH CHECK ((SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY revoking ON ler.access_token FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()) OR (SELECT ler.principal()) = ler.platform_operator())
    WITH CHECK (revoked_at IS NOT NULL);

CREATE POLICY own ON ler.idempotency_key FOR SELECT TO ler_app
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY keeping ON ler.idempotency_key FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));
CREATE POLICY forgetting ON ler.idempotency_key FOR DELETE TO ler_app
    USING (owner_id = (SELECT ler.principal()) AND expires_at <= now());
