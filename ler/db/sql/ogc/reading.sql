-- Who reads through the OGC API, proved and set in one statement, so that the statement that reads can follow at once.

-- Lets the transaction act for the organisation whose token this is, if it is good, and returns what `ler.find_token`
-- returns; no row, and nobody acts, if it is not. `kinds` are the kinds of token that are taken; `cvr`, when given,
-- names for whom the organisation acts by its mandate, and `acting` and `named` then say for whom and what it may.
-- `pinned` is the version of the own network that is read, NULL the present one.
CREATE OR REPLACE FUNCTION ler.open_reading(
    prefix text, secret_sha256 text, kinds text[], cvr text, pinned integer
)
RETURNS TABLE (
    id uuid, owner_id uuid, scopes text[], kind text, account_id uuid, administrator boolean, bounded boolean,
    roles text[], expires_at timestamptz, derived boolean, acting uuid, named text[], roles_of_giver text[]
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    known record;
    mandate record;
BEGIN
    PERFORM set_config('ler.principal', '', true), set_config('ler.pinned', coalesce(pinned::text, ''), true);
    SELECT t.* INTO known FROM ler.find_token(open_reading.prefix) AS t;
    IF NOT FOUND OR known.secret_sha256 <> open_reading.secret_sha256 OR known.expired OR known.revoked
        OR known.kind <> ALL (kinds)
    THEN
        RETURN;
    END IF;
    IF cvr IS NULL THEN
        PERFORM set_config('ler.principal', known.owner_id::text, true);
        RETURN QUERY SELECT known.id, known.owner_id, known.scopes, known.kind, known.account_id,
            known.administrator, known.bounded, known.roles, known.expires_at, known.derived,
            known.owner_id, NULL::text[], NULL::text[];
        RETURN;
    END IF;
    SELECT m.* INTO mandate FROM ler.mandate_of(known.owner_id, open_reading.cvr) AS m;
    IF FOUND THEN
        PERFORM set_config('ler.principal', mandate.owner_id::text, true),
            set_config('ler.provider', known.owner_id::text, true);
    END IF;
    RETURN QUERY SELECT known.id, known.owner_id, known.scopes, known.kind, known.account_id,
        known.administrator, known.bounded, known.roles, known.expires_at, known.derived,
        mandate.owner_id, mandate.scopes, mandate.roles;
END
$$;


-- Which version of the own network is read: the one that was pinned, or the present one. No row for who has none.
CREATE OR REPLACE FUNCTION ler.pinned_version()
RETURNS TABLE (dataset_id uuid, number integer)
LANGUAGE sql STABLE ROWS 1
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT d.id, v.number
    FROM ler.network_dataset AS d
    JOIN ler.network_version AS v ON v.dataset_id = d.id
    WHERE d.owner_id = ler.principal() AND d.current_version_id IS NOT NULL AND v.purged_at IS NULL
        AND v.published_at IS NOT NULL
        AND CASE
            WHEN coalesce(current_setting('ler.pinned', true), '') = '' THEN v.id = d.current_version_id
            ELSE v.number = current_setting('ler.pinned', true)::integer
        END
$$;


-- That a token is used is kept to the minute; nobody waits for the disk.
CREATE OR REPLACE FUNCTION ler.touch_token(token uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE ler.access_token AS t
    SET last_used_at = now()
    WHERE t.id = touch_token.token AND (t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute');
END
$$;
