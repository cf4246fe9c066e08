-- Where an organisation wants to be told. Keys and codes can be written through these functions and be read by nobody but
-- the worker. Each act leaves an audit event.
--
--   LE401  nobody acts   LE404  no such endpoint, or not yours   LE409  not possible in its state   LE429  too many

CREATE OR REPLACE FUNCTION ler.add_endpoint(
    channel text, address text, kinds text[], language text, escalation boolean, secret text, code text
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    acting constant uuid := ler.principal();
    made uuid;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(acting::text, 5));
    IF (SELECT count(*) FROM ler.notice_endpoint AS e WHERE e.organisation_id = acting AND e.state <> 'removed') >= 10 THEN
        RAISE EXCEPTION 'too many endpoints' USING ERRCODE = 'LE429';
    END IF;
    INSERT INTO ler.notice_endpoint (organisation_id, channel, address, kinds, language, escalation, secret, code, state)
    VALUES (
        acting, add_endpoint.channel, add_endpoint.address, add_endpoint.kinds, add_endpoint.language,
        add_endpoint.escalation, add_endpoint.secret, add_endpoint.code,
        CASE add_endpoint.channel WHEN 'email' THEN 'unconfirmed' ELSE 'active' END
    )
    RETURNING id INTO made;
    IF add_endpoint.channel = 'email' THEN
        PERFORM ler.tell(acting, 'endpoint.confirm', NULL, NULL, jsonb_build_object('endpoint_id', made));
    END IF;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (acting, 'organisation:notice_endpoint:add', made, jsonb_build_object('channel', add_endpoint.channel));
    RETURN made;
END
$$;


-- The caller's own endpoint, held until the transaction ends.
CREATE OR REPLACE FUNCTION ler.hold_endpoint(endpoint uuid)
RETURNS ler.notice_endpoint
LANGUAGE plpgsql
AS $$
DECLARE
    acting constant uuid := ler.principal();
    found_one ler.notice_endpoint;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    SELECT * INTO found_one
    FROM ler.notice_endpoint AS e
    WHERE e.id = endpoint AND e.organisation_id = acting AND e.state <> 'removed'
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such endpoint' USING ERRCODE = 'LE404';
    END IF;
    RETURN found_one;
END
$$;


-- Changes what an endpoint is told, and whether it is in use. What waits while it is disabled is dropped.
CREATE OR REPLACE FUNCTION ler.change_endpoint(
    endpoint uuid, kinds text[], language text, escalation boolean, in_use boolean
)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    place constant ler.notice_endpoint := ler.hold_endpoint(endpoint);
BEGIN
    UPDATE ler.notice_endpoint AS e
    SET kinds = change_endpoint.kinds, language = change_endpoint.language, escalation = change_endpoint.escalation
    WHERE e.id = place.id;
    IF in_use AND place.state IN ('paused', 'disabled') THEN
        UPDATE ler.notice_endpoint AS e
        SET state = 'active', reason = NULL, failures = 0, failing_since = NULL, hold_until = NULL
        WHERE e.id = place.id;
        UPDATE ler.outbox AS o SET next_try_at = now() WHERE o.endpoint_id = place.id AND o.state = 'waiting';
    ELSIF NOT in_use AND place.state IN ('active', 'paused') THEN
        PERFORM ler.put_out_of_use(place.id, 'disabled', 'by its organisation');
    ELSIF in_use AND place.state = 'unconfirmed' THEN
        RAISE EXCEPTION 'not confirmed' USING ERRCODE = 'LE409';
    END IF;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (ler.principal(), 'organisation:notice_endpoint:change', place.id, jsonb_build_object('in_use', in_use));
END
$$;


CREATE OR REPLACE FUNCTION ler.remove_endpoint(endpoint uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    place constant ler.notice_endpoint := ler.hold_endpoint(endpoint);
BEGIN
    PERFORM ler.put_out_of_use(place.id, 'removed', NULL);
    UPDATE ler.notice_endpoint AS e
    SET old_secret = NULL, code = NULL, secret = CASE WHEN e.secret IS NOT NULL THEN '' END
    WHERE e.id = place.id;
    INSERT INTO ler.audit_event (actor, action, object_id)
    VALUES (ler.principal(), 'organisation:notice_endpoint:remove', place.id);
END
$$;


-- A new key; for `keep` the old one signs as well, so that a receiver may change over when it likes.
CREATE OR REPLACE FUNCTION ler.renew_endpoint_secret(endpoint uuid, secret text, keep interval)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    place constant ler.notice_endpoint := ler.hold_endpoint(endpoint);
BEGIN
    IF place.channel <> 'webhook' THEN
        RAISE EXCEPTION 'an address of e-mail has no key' USING ERRCODE = 'LE409';
    END IF;
    UPDATE ler.notice_endpoint AS e
    SET old_secret = e.secret, old_secret_until = now() + keep, secret = renew_endpoint_secret.secret
    WHERE e.id = place.id;
    INSERT INTO ler.audit_event (actor, action, object_id)
    VALUES (ler.principal(), 'organisation:notice_endpoint:renew', place.id);
END
$$;


-- Takes an address of e-mail into use with the code that was sent to it; false for another code. After ten wrong ones no
-- code helps, and the address must be given anew.
CREATE OR REPLACE FUNCTION ler.confirm_endpoint(endpoint uuid, code text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    place constant ler.notice_endpoint := ler.hold_endpoint(endpoint);
BEGIN
    IF place.state = 'active' THEN
        RETURN true;
    ELSIF place.state <> 'unconfirmed' OR place.failures >= 10 THEN
        RAISE EXCEPTION 'the endpoint is %', place.state USING ERRCODE = 'LE409';
    ELSIF place.code <> confirm_endpoint.code THEN
        UPDATE ler.notice_endpoint AS e SET failures = e.failures + 1 WHERE e.id = place.id;
        RETURN false;
    END IF;
    UPDATE ler.notice_endpoint AS e SET state = 'active', failures = 0, failing_since = NULL WHERE e.id = place.id;
    INSERT INTO ler.audit_event (actor, action, object_id)
    VALUES (ler.principal(), 'organisation:notice_endpoint:confirm', place.id);
    RETURN true;
END
$$;


-- Sends a notice that says nothing to one endpoint.
CREATE OR REPLACE FUNCTION ler.test_endpoint(endpoint uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    place constant ler.notice_endpoint := ler.hold_endpoint(endpoint);
BEGIN
    IF place.state NOT IN ('active', 'paused') THEN
        RAISE EXCEPTION 'the endpoint is %', place.state USING ERRCODE = 'LE409';
    END IF;
    PERFORM ler.tell(place.organisation_id, 'endpoint.test', NULL, NULL, jsonb_build_object('endpoint_id', place.id));
END
$$;
