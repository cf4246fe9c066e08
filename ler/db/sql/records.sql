-- The chain over the audit trail: who appends, appends; a sweep seals what was committed. ler.domain.audit says what the
-- chain is and verifies it without asking these functions.

-- Whether the acting organisation may read the whole trail.
CREATE OR REPLACE FUNCTION ler.reads_all_audit()
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
-- As a text: of a parsed body the database would keep ler.principal() from being made anew.
AS $$
    SELECT coalesce(ler.principal() = ler.platform_operator(), false) OR ler.has_role('auditor')
$$;


-- Writes into each event the person and the provider that act, as the transaction says: whoever appends an event cannot
-- say that it was somebody else.
CREATE OR REPLACE FUNCTION ler.name_who_acts()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.account_id := ler.account();
    NEW.provider_id := ler.provider();
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER name_who_acts
BEFORE INSERT ON ler.audit_event
FOR EACH ROW EXECUTE FUNCTION ler.name_who_acts();


-- Notes that new events are to be sealed, in the transaction in which they were written.
CREATE OR REPLACE FUNCTION ler.await_seal()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    INSERT INTO ler.audit_unsealed (event_id) SELECT a.id FROM added AS a;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER await_seal
AFTER INSERT ON ler.audit_event
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION ler.await_seal();

CREATE OR REPLACE TRIGGER append_only_rows
BEFORE UPDATE OR DELETE ON ler.audit_link
FOR EACH ROW EXECUTE FUNCTION ler.refuse_change();

CREATE OR REPLACE TRIGGER append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ler.audit_link
FOR EACH STATEMENT EXECUTE FUNCTION ler.refuse_change();


-- An event letter by letter as it goes into the digest; ler.domain.audit.event_text writes the same.
CREATE OR REPLACE FUNCTION ler.audit_text(event ler.audit_event)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT concat(
        '{"id": ', (event).id, ', "key": "', (event).key,
        '", "at": "', to_char((event).at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        '", "actor": ', coalesce('"' || (event).actor || '"', 'null'),
        ', "account": ', coalesce('"' || (event).account_id || '"', 'null'),
        ', "provider": ', coalesce('"' || (event).provider_id || '"', 'null'),
        ', "action": "', (event).action,
        '", "object": ', coalesce('"' || (event).object_id || '"', 'null'),
        ', "details": ', (event).details, '}'
    )
$$;


-- Puts events that were committed into the chain, `most` at a time; returns how many. Of two calls at once the second
-- does nothing: two that seal would make a fork, which the key of the table would refuse.
CREATE OR REPLACE FUNCTION ler.seal_audit(most integer)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    event ler.audit_event;
    link ler.audit_link;
    sealed bigint[] := '{}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('ler.audit_link', 0)) THEN
        RETURN 0;
    END IF;
    SELECT l.* INTO link FROM ler.audit_link AS l ORDER BY l.number DESC LIMIT 1;
    IF NOT FOUND THEN
        link.number := 0;
        link.digest := decode(repeat('00', 32), 'hex');
    END IF;
    FOR event IN
        SELECT e.*
        FROM ler.audit_unsealed AS u
        JOIN ler.audit_event AS e ON e.id = u.event_id
        ORDER BY u.event_id
        LIMIT most
    LOOP
        link.number := link.number + 1;
        link.digest := sha256(link.digest || convert_to(ler.audit_text(event), 'UTF8'));
        INSERT INTO ler.audit_link (number, event_id, digest) VALUES (link.number, event.id, link.digest);
        sealed := sealed || event.id;
    END LOOP;
    DELETE FROM ler.audit_unsealed AS u WHERE u.event_id = ANY (sealed);
    RETURN cardinality(sealed);
END
$$;


-- To whom lines were delivered: of `owner`, or of all owners for who may read the whole trail; those of these gml:ids, or
-- those that touch the area. One row an answer that delivered any, the newest first, with what was fetched of the request
-- since: a package that nobody fetched has shown nothing. Answers that were corrected or withdrawn count: they were read.
--
--   LE404  not your lines, and you do not audit
CREATE OR REPLACE FUNCTION ler.who_has_seen(
    owner uuid, gml_ids text[], area @postgis@.geometry, since timestamptz, until timestamptz, most integer
)
RETURNS TABLE (
    owner_id uuid,
    request_id uuid,
    order_number bigint,
    requester_id uuid,
    requester_cvr text,
    requester_name text,
    kind text,
    purpose text,
    period_from date,
    period_to date,
    answer_type text,
    answer_revision integer,
    delivered_at timestamptz,
    withdrawn_at timestamptz,
    lines text[],
    downloads jsonb
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT ler.reads_all_audit() AND who_has_seen.owner IS DISTINCT FROM ler.principal() OR ler.principal() IS NULL THEN
        RAISE EXCEPTION 'not your lines' USING ERRCODE = 'LE404';
    END IF;
    RETURN QUERY
    WITH delivered AS (
        SELECT p.answer_id, array_agg(p.gml_id ORDER BY p.seq) AS lines
        FROM ler.package_feature AS p
        WHERE p.gml_id = ANY (who_has_seen.gml_ids)
            AND (who_has_seen.owner IS NULL OR p.owner_id = who_has_seen.owner)
        GROUP BY p.answer_id
        UNION ALL
        SELECT p.answer_id, array_agg(p.gml_id ORDER BY p.seq)
        FROM ler.excavation_request AS r
        JOIN ler.package_feature AS p ON p.request_id = r.id
        -- What is delivered lies in the dig area or at most 50 m from it.
        WHERE r.area && ST_Expand(who_has_seen.area, 60)
            AND (who_has_seen.owner IS NULL OR p.owner_id = who_has_seen.owner)
            AND p.geom && who_has_seen.area AND ST_Intersects(p.geom, who_has_seen.area)
        GROUP BY p.answer_id
    )
    SELECT a.owner_id, r.id, r.order_number, o.id, o.cvr,
        -- Who wished not to be named is not named to those it asked.
        CASE WHEN o.anonymous AND NOT ler.reads_all_audit() THEN 'Privatperson' ELSE o.name END, r.kind, r.purpose, r.period_from, r.period_to,
        a.answer_type, a.revision, a.answered_at, a.withdrawn_at, d.lines,
        (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'at', e.at, 'actor', e.actor, 'account', e.account_id, 'provider', e.provider_id
            ) ORDER BY e.at), '[]')
            FROM ler.audit_event AS e
            WHERE e.object_id = ANY (
                    r.id || ARRAY(SELECT k.id FROM ler.package AS k WHERE k.request_id = r.id)
                )
                AND e.action LIKE '%:package:download' AND e.at >= a.answered_at
        )
    FROM delivered AS d
    JOIN ler.owner_answer AS a ON a.id = d.answer_id
    JOIN ler.excavation_request AS r ON r.id = a.request_id
    JOIN ler.organisation AS o ON o.id = r.requester_id
    WHERE (since IS NULL OR a.answered_at >= since) AND (until IS NULL OR a.answered_at < until)
    ORDER BY a.answered_at DESC, a.id
    LIMIT most;
END
$$;


-- What was read of an owner's own network, by its people, its programs and its providers, where these lines lie or in
-- the area: of everybody else the network is hidden.
--
--   LE404  not your lines, and you do not audit
CREATE OR REPLACE FUNCTION ler.who_has_read(
    owner uuid, gml_ids text[], area @postgis@.geometry, since timestamptz, until timestamptz, most integer
)
RETURNS TABLE (at timestamptz, account_id uuid, provider_id uuid, version integer, features integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    places geometry[] := ARRAY[who_has_read.area];
BEGIN
    IF NOT ler.reads_all_audit() AND who_has_read.owner IS DISTINCT FROM ler.principal() OR ler.principal() IS NULL THEN
        RAISE EXCEPTION 'not your lines' USING ERRCODE = 'LE404';
    END IF;
    IF who_has_read.gml_ids IS NOT NULL THEN
        -- NULL, and so read wherever it was read, for a line without a place of its own.
        SELECT array_agg(f.geom) INTO places
        FROM ler.network_dataset AS d
        JOIN ler.network_feature AS f ON f.dataset_id = d.id
        WHERE d.owner_id = who_has_read.owner AND f.gml_id = ANY (who_has_read.gml_ids);
    END IF;
    RETURN QUERY
    SELECT e.at, e.account_id, e.provider_id, (e.details ->> 'version')::integer, (e.details ->> 'features')::integer
    FROM ler.audit_event AS e
    WHERE e.actor = who_has_read.owner AND e.action = 'owner:network:read'
        AND (since IS NULL OR e.at >= since) AND (until IS NULL OR e.at < until)
        AND EXISTS (
            SELECT FROM unnest(places) AS place (geom)
            WHERE place.geom IS NULL OR jsonb_typeof(e.details -> 'bbox') IS DISTINCT FROM 'array'
                OR ST_Intersects(place.geom, ST_MakeEnvelope(
                    (e.details -> 'bbox' ->> 0)::float, (e.details -> 'bbox' ->> 1)::float,
                    (e.details -> 'bbox' ->> 2)::float, (e.details -> 'bbox' ->> 3)::float, 25832
                ))
        )
    ORDER BY e.id DESC
    LIMIT most;
END
$$;
