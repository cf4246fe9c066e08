-- Who reads through the OGC API, proved and set in one statement, so that the statement that reads can follow at once.

-- Lets the transaction act for an organisation, and pins the version of its network that is read. Only for the next.
CREATE OR REPLACE FUNCTION ler.begin_reading(organisation uuid, wanted integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM set_config('ler.principal', organisation::text, true),
        set_config('ler.pinned_dataset', v.dataset_id::text, true), set_config('ler.pinned', v.number::text, true)
    FROM (SELECT) AS once
    LEFT JOIN (
        ler.network_dataset AS d
        JOIN ler.network_version AS v ON v.dataset_id = d.id AND v.purged_at IS NULL AND v.published_at IS NOT NULL
            AND CASE WHEN wanted IS NULL THEN v.id = d.current_version_id ELSE v.number = wanted END
    ) ON d.owner_id = organisation AND d.current_version_id IS NOT NULL;
END
$$;


-- Lets the transaction act for the organisation whose token this is, if it is good, and returns what `ler.find_token`
-- returns; no row, and nobody acts, if it is not. `kinds` are the kinds of token that are taken; `cvr`, when given,
-- names for whom the organisation acts by its mandate, and `acting` and `named` then say for whom and what it may.
-- `pinned` is the number of the version of the own network that is read, NULL the present one: which it is stands in the
-- settings ler.pinned_dataset and ler.pinned, which ler.ogc_network asks.
--
-- Its statements, and those of what it calls, keep their plans; a function in SQL is planned anew in each transaction.
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
    PERFORM set_config('ler.principal', '', true), set_config('ler.pinned_dataset', '', true),
        set_config('ler.pinned', '', true);
    SELECT t.* INTO known FROM ler.find_token(open_reading.prefix) AS t;
    IF NOT FOUND OR known.secret_sha256 <> open_reading.secret_sha256 OR known.expired OR known.revoked
        OR known.kind <> ALL (kinds)
    THEN
        RETURN;
    END IF;
    IF cvr IS NULL THEN
        PERFORM ler.begin_reading(known.owner_id, pinned);
        RETURN QUERY SELECT known.id, known.owner_id, known.scopes, known.kind, known.account_id,
            known.administrator, known.bounded, known.roles, known.expires_at, known.derived,
            known.owner_id, NULL::text[], NULL::text[];
        RETURN;
    END IF;
    SELECT m.* INTO mandate FROM ler.mandate_of(known.owner_id, open_reading.cvr) AS m;
    IF FOUND THEN
        PERFORM ler.begin_reading(mandate.owner_id, pinned);
        PERFORM set_config('ler.provider', known.owner_id::text, true);
    END IF;
    RETURN QUERY SELECT known.id, known.owner_id, known.scopes, known.kind, known.account_id,
        known.administrator, known.bounded, known.roles, known.expires_at, known.derived,
        mandate.owner_id, mandate.scopes, mandate.roles;
END
$$;
