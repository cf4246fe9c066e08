-- The chain over the audit trail: who appends, appends; a sweep seals what was committed. ler.domain.audit says what the
-- chain is and verifies it without asking these functions.

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


-- Whether the acting organisation may read the whole trail.
CREATE OR REPLACE FUNCTION ler.reads_all_audit()
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
-- As a text: of a parsed body the database would keep ler.principal() from being made anew.
AS $$
    SELECT coalesce(ler.principal() = ler.platform_operator(), false) OR ler.has_role('auditor')
$$;
