-- Who reads through the OGC API, proved and set in one statement, so that the statement that reads can follow at once.

-- Lets the transaction act for the organisation whose token this is, if it is good, and returns as an array of JSON what
-- `ler.find_token` returns, and for whom it acts; NULL, and nobody acts, if it is not. `kinds` are the kinds of token that
-- are taken; `cvr`, when given, names for whom the organisation acts by its mandate, and the last two say what it then may.
-- `pinned` is the number of the version of the own network that is read, NULL the present one: which it is stands in the
-- settings ler.pinned_dataset and ler.pinned, which ler.ogc_network asks.
--
-- All is asked and set by one statement, which keeps its plan; to begin each of several takes as long as to ask it.
CREATE OR REPLACE FUNCTION ler.open_reading(
    prefix text, secret_sha256 text, kinds text[], cvr text, pinned integer
)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    known text;
    done text;
BEGIN
    SELECT
        CASE WHEN t.id IS NOT NULL THEN json_build_array(
            t.id, t.owner_id, t.account_id, a.organisation_id, t.scopes, t.kind, t.administrator, t.bounded, t.roles,
            t.expires_at, t.derived, m.scopes, m.roles
        ) END,
        set_config('ler.principal', coalesce(a.organisation_id::text, ''), true)
            || set_config('ler.provider', CASE WHEN m.owner_id IS NULL THEN '' ELSE t.owner_id::text END, true)
            || set_config('ler.pinned_dataset', coalesce(v.dataset_id::text, ''), true)
            || set_config('ler.pinned', coalesce(v.number::text, ''), true)
    INTO known, done
    FROM (SELECT) AS once
    LEFT JOIN ler.known_token AS t
        ON t.prefix = open_reading.prefix AND t.secret_sha256 = open_reading.secret_sha256
        AND t.kind = ANY (open_reading.kinds) AND NOT t.expired AND NOT t.revoked
    LEFT JOIN LATERAL (
        SELECT m.* FROM ler.mandate_of(t.owner_id, open_reading.cvr) AS m WHERE open_reading.cvr IS NOT NULL
    ) AS m ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN open_reading.cvr IS NULL THEN t.owner_id ELSE m.owner_id END
    ) AS a (organisation_id)
    LEFT JOIN (
        ler.network_dataset AS d
        JOIN ler.network_version AS v ON v.dataset_id = d.id AND v.purged_at IS NULL AND v.published_at IS NOT NULL
            AND CASE WHEN open_reading.pinned IS NULL THEN v.id = d.current_version_id ELSE v.number = open_reading.pinned END
    ) ON d.owner_id = a.organisation_id AND d.current_version_id IS NOT NULL;
    RETURN known;
END
$$;
