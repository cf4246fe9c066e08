-- Who reads and makes rules on sensitive lines, and who is told what of withheld ones.

-- An owner its own; the operator those for all owners, which nobody else reads.
CREATE POLICY own ON ler.sensitivity_rule FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY register ON ler.sensitivity_rule FOR SELECT TO ler_app, ler_readonly
    USING (owner_id IS NULL AND (SELECT ler.principal()) = ler.platform_operator());
CREATE POLICY making ON ler.sensitivity_rule FOR INSERT TO ler_app
    WITH CHECK (
        owner_id = (SELECT ler.principal())
        OR owner_id IS NULL AND (SELECT ler.principal()) = ler.platform_operator()
    );
CREATE POLICY ending ON ler.sensitivity_rule FOR UPDATE TO ler_app
    USING (
        ended_at IS NULL
        AND (
            owner_id = (SELECT ler.principal())
            OR owner_id IS NULL AND (SELECT ler.principal()) = ler.platform_operator()
        )
    )
    WITH CHECK (ended_at IS NOT NULL);

-- That something is withheld is told to who asked; what it is, to its owner alone.
CREATE POLICY requester ON ler.answer_withheld FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.answer_withheld FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.answer_withheld FOR SELECT TO ler_worker
    USING (request_id = (SELECT ler.request_scope()));
CREATE POLICY owner ON ler.withheld_feature FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));

GRANT SELECT ON ler.sensitivity_rule, ler.answer_withheld, ler.withheld_feature TO ler_app, ler_readonly;
GRANT INSERT (owner_id, class, feature_types, utility_types, danger_classes, gml_ids, area, reason)
    ON ler.sensitivity_rule TO ler_app;
GRANT UPDATE (ended_at) ON ler.sensitivity_rule TO ler_app;
GRANT SELECT ON ler.answer_withheld TO ler_worker;
GRANT EXECUTE ON FUNCTION ler.decide_withheld(uuid, boolean), ler.rules_in_force(), ler.shown_despite(uuid),
    ler.end_links_despite(uuid) TO ler_app;
-- Run as the caller, who sees by them what its policies show it.
GRANT EXECUTE ON FUNCTION
    ler.rule_meets(ler.sensitivity_rule, ler.network_feature), ler.staged_forbidden(uuid)
    TO ler_app;
