-- Offers of ducts are their owner's alone, and nobody makes or ends them for it: they would outlive a mandate. Who is offered
-- something learns of it near its works, by ler.ducts_near_work.
CREATE POLICY own ON ler.duct_offer FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY offering ON ler.duct_offer FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()) AND (SELECT ler.has_role('owner')) AND (SELECT ler.provider()) IS NULL);
CREATE POLICY ending ON ler.duct_offer FOR UPDATE TO ler_app
    USING (owner_id = (SELECT ler.principal()) AND ended_at IS NULL AND (SELECT ler.provider()) IS NULL)
    WITH CHECK (ended_at = now());
GRANT SELECT ON ler.duct_offer TO ler_app, ler_readonly;
GRANT INSERT (owner_id, cvr, most_used, shows_place, contact) ON ler.duct_offer TO ler_app;
GRANT UPDATE (ended_at) ON ler.duct_offer TO ler_app;

GRANT EXECUTE ON FUNCTION ler.ducts_near_work(uuid) TO ler_app;
