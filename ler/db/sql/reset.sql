-- Takes away all policies, triggers, views and functions of the schema before they are made anew, so that nothing is left of
-- an older version of the program. Within the migration's transaction: nobody else ever sees the schema without them.
-- The policy by which ler_owner sees its own tables stays: without it revisions would find every table empty, the one
-- that says which of them were applied included.
--
-- Never CASCADE: what else may depend on a function, such as a constraint, must not vanish with it.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT p.polname AS name, p.polrelid::regclass AS relation
        FROM pg_policy AS p
        JOIN pg_class AS c ON c.oid = p.polrelid
        WHERE c.relnamespace = 'ler'::regnamespace AND p.polname <> 'table_owner'
    LOOP
        EXECUTE format('DROP POLICY %I ON %s', found.name, found.relation);
    END LOOP;
    FOR found IN
        SELECT t.tgname AS name, t.tgrelid::regclass AS relation
        FROM pg_trigger AS t
        JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'ler'::regnamespace AND NOT t.tgisinternal
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.name, found.relation);
    END LOOP;
    FOR found IN
        SELECT oid::regclass AS relation FROM pg_class
        WHERE relnamespace = 'ler'::regnamespace AND relkind = 'v'
    LOOP
        EXECUTE format('DROP VIEW %s', found.relation);
    END LOOP;
    FOR found IN SELECT oid::regprocedure AS signature FROM pg_proc WHERE pronamespace = 'ler'::regnamespace LOOP
        EXECUTE format('DROP ROUTINE %s', found.signature);
    END LOOP;
END
$$;
