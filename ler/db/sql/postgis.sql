-- Closes holes beside row-level security: these functions of PostGIS read statistics or the index, and told a role
-- that may see no row the extent of everybody's network and the number of its features (measured).
--
-- Run as the user who migrates. On a server where the extension belongs to somebody else we may not, and say so.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT p.oid::regprocedure AS signature, pg_has_role(current_user, p.proowner, 'USAGE') AS is_ours
        FROM pg_proc AS p
        JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
        WHERE e.extname = 'postgis' AND p.proname IN (
            'st_estimatedextent', 'st_findextent',
            '_postgis_index_extent', '_postgis_join_selectivity', '_postgis_selectivity', '_postgis_stats'
        )
    LOOP
        IF found.is_ours THEN
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', found.signature);
        ELSE
            RAISE WARNING 'the owner of PostGIS should: REVOKE EXECUTE ON FUNCTION % FROM PUBLIC', found.signature;
        END IF;
    END LOOP;
    -- PostgreSQL 15 does so for new databases; older ones keep what they had.
    IF has_schema_privilege('public', 'CREATE WITH GRANT OPTION') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
END
$$;
