-- What planned works come too near is found among an owner's own lines, by its own right, and seen by nobody else: who
-- plans a work is told of others' lines when it asks for them.
CREATE POLICY own ON ler.line_conflict FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY finding ON ler.line_conflict FOR INSERT TO ler_app
    WITH CHECK (owner_id = (SELECT ler.principal()));
CREATE POLICY finding_anew ON ler.line_conflict FOR DELETE TO ler_app
    USING (owner_id = (SELECT ler.principal()));
GRANT SELECT ON ler.line_conflict TO ler_app, ler_readonly;
GRANT INSERT, DELETE ON ler.line_conflict TO ler_app;
GRANT EXECUTE ON FUNCTION
    ler.network_cells(uuid, integer, double precision),
    ler.placeless_features(uuid, integer, text[]),
    ler.distant_joints(uuid, integer, double precision),
    ler.wide_features(uuid, integer, double precision),
    ler.own_lines_in(uuid, integer, @postgis@.geometry, bigint[])
    TO ler_app;
