-- Who there is. Roles belong to the whole cluster, where other databases may be migrated at the same moment: each is
-- made only when it is missing, and losing the race for it is no error.
--
--   ler_owner     owns schema, tables and functions; nobody can log in as it
--   ler_app       web and command line: acts for one organisation, the principal
--   ler_worker    builds packages: acts for one request
--   ler_readonly  reads what its principal may read
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES ('ler_owner', 'NOLOGIN'), ('ler_app', 'LOGIN'), ('ler_worker', 'LOGIN'), ('ler_readonly', 'LOGIN'))
            AS role (name, login)
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role.name)
    LOOP
        BEGIN
            EXECUTE format(
                'CREATE ROLE %I %s NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT',
                wanted.name, wanted.login
            );
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- made by another migration in this moment
        END;
    END LOOP;
END
$$;

-- A role of that name that somebody made with more rights would walk past every policy.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_roles
        WHERE rolname IN ('ler_owner', 'ler_app', 'ler_worker', 'ler_readonly') AND (rolsuper OR rolbypassrls)
    ) THEN
        RAISE EXCEPTION 'one of the roles ler_owner, ler_app, ler_worker, ler_readonly is superuser or bypasses RLS'
            USING ERRCODE = 'invalid_role_specification';
    END IF;
    -- Migrations act as ler_owner, so that what they make belongs to it.
    IF NOT pg_has_role(current_user, 'ler_owner', 'MEMBER') THEN
        GRANT ler_owner TO CURRENT_USER;
    END IF;
END
$$;
