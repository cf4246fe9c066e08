-- Who reads through the OGC API, proved and set in one statement, so that the statement that reads can follow at once.

-- Lets the transaction act for the organisation whose token this is, if it is good, and returns what `ler.find_token`
-- returns; no `id`, and nobody acts, if it is not. `kinds` are the kinds of token that are taken; `cvr`, when given,
-- names for whom the organisation acts by its mandate, and `acting` and `named` then say for whom and what it may.
-- `pinned` is the number of the version of the own network that is read, NULL the present one: which it is stands in the
-- settings ler.pinned_dataset and ler.pinned, which ler.ogc_network asks.
--
-- All is asked and set by one statement, which keeps its plan; to begin each of several takes as long as to ask it.
CREATE OR REPLACE FUNCTION ler.open_reading(
    prefix text, secret_sha256 text, kinds text[], cvr text, pinned integer,
    OUT id uuid, OUT owner_id uuid, OUT scopes text[], OUT kind text, OUT account_id uuid, OUT administrator boolean,
    OUT bounded boolean, OUT roles text[], OUT expires_at timestamptz, OUT derived boolean, OUT acting uuid,
    OUT named text[], OUT roles_of_giver text[]
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    done text;
BEGIN
    SELECT
        t.id, t.owner_id, t.scopes, t.kind, t.account_id, t.administrator, t.bounded, t.roles, t.expires_at, t.derived,
        a.organisation_id, m.scopes, m.roles,
        set_config('ler.principal', coalesce(a.organisation_id::text, ''), true)
            || set_config('ler.provider', CASE WHEN m.owner_id IS NULL THEN '' ELSE t.owner_id::text END, true)
            || set_config('ler.pinned_dataset', coalesce(v.dataset_id::text, ''), true)
            || set_config('ler.pinned', coalesce(v.number::text, ''), true)
    INTO
        id, owner_id, scopes, kind, account_id, administrator, bounded, roles, expires_at, derived, acting, named,
        roles_of_giver, done
    FROM (SELECT) AS once
    LEFT JOIN ler.known_token AS t
        ON t.prefix = open_reading.prefix AND t.secret_sha256 = open_reading.secret_sha256 AND t.kind = ANY (kinds)
        AND NOT t.expired AND NOT t.revoked
    LEFT JOIN LATERAL (
        SELECT m.* FROM ler.mandate_of(t.owner_id, open_reading.cvr) AS m WHERE open_reading.cvr IS NOT NULL
    ) AS m ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN open_reading.cvr IS NULL THEN t.owner_id ELSE m.owner_id END
    ) AS a (organisation_id)
    LEFT JOIN (
        ler.network_dataset AS d
        JOIN ler.network_version AS v ON v.dataset_id = d.id AND v.purged_at IS NULL AND v.published_at IS NOT NULL
            AND CASE WHEN pinned IS NULL THEN v.id = d.current_version_id ELSE v.number = pinned END
    ) ON d.owner_id = a.organisation_id AND d.current_version_id IS NOT NULL;
END
$$;
