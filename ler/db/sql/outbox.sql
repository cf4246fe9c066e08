-- The outbox: what is still to be sent, and where to. A row is made with its notice, in the same transaction; the worker
-- takes rows, sends them and writes down what came of it. One that dies in between has not written it down, and the row
-- is sent again, with the same bytes under the same id.
--
-- Who changes an endpoint and rows of the outbox locks the endpoint first.

-- What is mailed: whatever somebody must do something about.
CREATE OR REPLACE FUNCTION ler.is_mailed(what text, data jsonb)
RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN NOT data @> '{"quiet": true}' AND what = ANY (
    '{
        owner.asked,owner.reminder,owner.silent,owner.late,owner.corrected,owner.withdrawn,owner.marking_asked,
        owner.appeared,network.changed,package.ready,package.links_ended,request.cancelled,request.extended,
        upload.rejected,upload.needs_approval,upload.failed,upload.expired,
        package.stuck,platform.tiling,endpoint.paused,endpoint.disabled,notice.undelivered,deviation.reported,deviation.offered,
        work.conflict,work.planned,window.invited,window.settled
    }'::text[]
);


-- Whether an endpoint is told of a kind: what it chose, or all that its channel is for. Second contacts are told of
-- silence only, mails of nothing that needs no doing.
CREATE OR REPLACE FUNCTION ler.is_wanted(endpoint ler.notice_endpoint, what text, data jsonb)
RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, ler, pg_temp
AS $$
    SELECT CASE
        WHEN what LIKE 'endpoint.%' THEN false
        WHEN endpoint.escalation THEN data ? 'escalation'
        WHEN endpoint.kinds IS NOT NULL THEN
            what = ANY (endpoint.kinds) OR split_part(what, '.', 1) || '.*' = ANY (endpoint.kinds)
        ELSE endpoint.channel = 'webhook' OR ler.is_mailed(what, data)
    END
$$;

-- What a webhook is sent: thin, and never more than the outbox holds.
CREATE OR REPLACE FUNCTION ler.webhook_payload(told ler.notice)
RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, ler, pg_temp
AS $$
    SELECT jsonb_build_object(
        'type', told.kind,
        'timestamp', to_char(told.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'data', jsonb_strip_nulls(jsonb_build_object(
            'id', told.id, 'number', told.number, 'request_id', told.request_id, 'owner_id', told.owner_id
        )) || CASE WHEN octet_length(told.data::text) < 16000 THEN told.data - 'quiet' ELSE '{}' END
    )::text
$$;


-- The address of e-mail that an organisation is told at when it has said no other, and the language it reads. About a duty
-- to answer: of the interest area that was asked, or else the contact for its kind of line and request, or else the
-- organisation's own; about silence, the contact that comes next.
CREATE OR REPLACE FUNCTION ler.mail_address(organisation uuid, data jsonb)
RETURNS TABLE (address text, language text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, ler, pg_temp
AS $$
    SELECT found.address, coalesce(
        (
            SELECT a.language
            FROM ler.account AS a
            WHERE a.organisation_id = o.id AND a.ended_at IS NULL
            ORDER BY a.administrator DESC, a.created_at
            LIMIT 1
        ),
        'da'
    )
    FROM ler.organisation AS o
    LEFT JOIN LATERAL (
        SELECT r.kind, i.utility_types, i.contact_email
        FROM ler.owner_request AS q
        JOIN ler.excavation_request AS r ON r.id = q.request_id
        JOIN ler.interest_area AS i ON i.id = q.interest_area_id
        WHERE q.id = (mail_address.data ->> 'owner_request_id')::uuid AND q.owner_id = o.id
    ) AS asked ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(
            CASE WHEN NOT mail_address.data ? 'escalation' THEN asked.contact_email END,
            (
                SELECT c.email
                FROM ler.contact AS c
                WHERE asked.kind IS NOT NULL AND c.owner_id = o.id AND c.email IS NOT NULL
                    AND (c.purpose IS NULL OR c.purpose = asked.kind)
                    AND (c.utility_type IS NULL OR c.utility_type = ANY (asked.utility_types))
                ORDER BY
                    CASE WHEN mail_address.data ? 'escalation' THEN c.rank = 1 ELSE c.rank > 1 END,
                    c.purpose NULLS LAST, c.utility_type NULLS LAST, c.rank
                LIMIT 1
            ),
            o.email
        )
    ) AS found (address)
    WHERE o.id = mail_address.organisation AND found.address IS NOT NULL
$$;


-- Puts a notice into the outbox for the organisation's own address of e-mail, unless it is there.
CREATE OR REPLACE FUNCTION ler.mail_notice(notice_id uuid, organisation uuid, data jsonb)
RETURNS void
LANGUAGE sql VOLATILE
AS $$
    INSERT INTO ler.outbox (notice_id, organisation_id, lane, channel, address, language)
    SELECT mail_notice.notice_id, mail_notice.organisation, mail_notice.organisation, 'email', m.address, m.language
    FROM ler.mail_address(mail_notice.organisation, mail_notice.data) AS m
    ON CONFLICT DO NOTHING
$$;


-- Each notice goes to every endpoint of its audience that wants it; when there is none, and it is one that is mailed, to
-- the address with which the audience is registered.
CREATE OR REPLACE FUNCTION ler.fan_out()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    INSERT INTO ler.outbox (notice_id, organisation_id, endpoint_id, lane, channel, address, language, payload)
    SELECT NEW.id, NEW.audience_id, e.id, e.id, e.channel, e.address, e.language,
        CASE e.channel WHEN 'webhook' THEN ler.webhook_payload(NEW) END
    FROM ler.notice_endpoint AS e
    WHERE e.organisation_id = NEW.audience_id AND e.state <> 'removed' AND (
        e.state IN ('active', 'paused') AND ler.is_wanted(e, NEW.kind, NEW.data)
        -- A test, and the code that an address confirms itself with.
        OR NEW.kind IN ('endpoint.test', 'endpoint.confirm') AND e.id::text = NEW.data ->> 'endpoint_id'
    );
    IF NOT FOUND AND ler.is_mailed(NEW.kind, NEW.data) OR NEW.data ? 'escalation' THEN
        PERFORM ler.mail_notice(NEW.id, NEW.audience_id, NEW.data);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER sending
AFTER INSERT ON ler.notice
FOR EACH ROW EXECUTE FUNCTION ler.fan_out();


-- Takes up to `most` rows of a channel that are due, for as long as `lease`, and returns them with all that is needed to send them. Of
-- one lane no more than `a_lane` are under way: a place that hangs, or has a thousand rows waiting, holds up itself only.
-- A paused place is tried once an hour.
CREATE OR REPLACE FUNCTION ler.claim_deliveries(by_channel text, most integer, a_lane integer, lease interval)
RETURNS TABLE (
    id uuid, attempt integer, channel text, address text, language text, payload text, secret text, old_secret text,
    code text, notice_id uuid, kind text, at timestamptz, organisation_id uuid, request_id uuid, owner_id uuid, data jsonb
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    due uuid[];
BEGIN
    -- From lane to lane by the index, however many rows wait in each.
    WITH RECURSIVE lanes AS (
        (SELECT o.lane FROM ler.outbox AS o WHERE o.state = 'waiting' ORDER BY o.lane LIMIT 1)
        UNION ALL
        SELECT (
            SELECT o.lane FROM ler.outbox AS o WHERE o.state = 'waiting' AND o.lane > l.lane ORDER BY o.lane LIMIT 1
        )
        FROM lanes AS l
        WHERE l.lane IS NOT NULL
    )
    SELECT array_agg(d.id) INTO due
    FROM (
        SELECT r.id
        FROM lanes AS l
        LEFT JOIN ler.notice_endpoint AS e ON e.id = l.lane
        CROSS JOIN LATERAL (
            SELECT o.id, o.next_try_at
            FROM ler.outbox AS o
            WHERE o.lane = l.lane AND o.state = 'waiting' AND o.channel = by_channel
                AND o.next_try_at <= clock_timestamp()
                AND (o.taken_until IS NULL OR o.taken_until <= clock_timestamp())
            ORDER BY o.next_try_at
            LIMIT greatest(0, CASE WHEN e.state = 'paused' THEN 1 ELSE a_lane END - (
                SELECT count(*)
                FROM ler.outbox AS o
                WHERE o.lane = l.lane AND o.state = 'waiting' AND o.taken_until > clock_timestamp()
            ))
        ) AS r
        WHERE coalesce(e.hold_until <= clock_timestamp(), true)
        ORDER BY r.next_try_at
        LIMIT most
    ) AS d;

    RETURN QUERY
    WITH taken AS (
        SELECT o.id
        FROM ler.outbox AS o
        WHERE o.id = ANY (due) AND o.state = 'waiting'
            AND (o.taken_until IS NULL OR o.taken_until <= clock_timestamp())
        FOR UPDATE SKIP LOCKED
    ),
    mine AS (
        UPDATE ler.outbox AS o
        SET taken_until = clock_timestamp() + claim_deliveries.lease, attempts = o.attempts + 1
        FROM taken AS t
        WHERE o.id = t.id
        RETURNING o.*
    )
    SELECT m.id, m.attempts, m.channel, m.address, m.language, m.payload, e.secret,
        CASE WHEN e.old_secret_until > clock_timestamp() THEN e.old_secret END,
        CASE WHEN n.kind = 'endpoint.confirm' THEN e.code END,
        n.id, n.kind, n.at, n.audience_id, n.request_id, n.owner_id, n.data
    FROM mine AS m
    JOIN ler.notice AS n ON n.id = m.notice_id
    LEFT JOIN ler.notice_endpoint AS e ON e.id = m.endpoint_id
    ORDER BY n.at, n.number;
END
$$;


-- Keeps the bytes of a mail before its first try, and returns those that are kept: of two that make them, the first's.
CREATE OR REPLACE FUNCTION ler.keep_payload(delivery uuid, made text)
RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    UPDATE ler.outbox AS o SET payload = coalesce(o.payload, made) WHERE o.id = delivery RETURNING o.payload
$$;


-- Writes down what came of a try. `verdict` as in ler.domain.delivery; `pause` is how long to wait before the next, `hold`
-- how long the place asked to be left alone. A place that has failed for `pause_after` with at least ten tries is paused,
-- and its organisation told by mail; a notice is given up `give_up_after` it was made, and the operator told. After four
-- tries in vain, or when the place is gone, a notice that is mailed goes to the organisation's own address too.
CREATE OR REPLACE FUNCTION ler.record_delivery(
    delivery uuid, verdict text, status integer, fault text, pause interval, hold interval,
    pause_after interval, give_up_after interval
)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    place ler.notice_endpoint;
    row ler.outbox;
    told ler.notice;
    over boolean;
BEGIN
    SELECT e.* INTO place
    FROM ler.notice_endpoint AS e
    WHERE e.id = (SELECT o.endpoint_id FROM ler.outbox AS o WHERE o.id = delivery)
    FOR NO KEY UPDATE;
    SELECT * INTO row FROM ler.outbox AS o WHERE o.id = delivery FOR UPDATE;
    IF row.state IS DISTINCT FROM 'waiting' THEN
        RETURN; -- another worker was faster, or the place is gone
    END IF;
    SELECT * INTO told FROM ler.notice AS n WHERE n.id = row.notice_id;

    IF verdict = 'delivered' THEN
        UPDATE ler.outbox AS o
        SET state = 'delivered', status = record_delivery.status, fault = NULL, taken_until = NULL, done_at = now()
        WHERE o.id = row.id;
        UPDATE ler.notice_endpoint AS e
        SET failures = 0, failing_since = NULL, hold_until = NULL, delivered_at = now(),
            reason = CASE e.state WHEN 'paused' THEN NULL ELSE e.reason END,
            state = CASE e.state WHEN 'paused' THEN 'active' ELSE e.state END
        WHERE e.id = place.id;
        RETURN;
    END IF;

    IF verdict = 'off' THEN
        UPDATE ler.outbox AS o
        SET state = 'dropped', fault = record_delivery.fault, taken_until = NULL, done_at = now()
        WHERE o.id = row.id;
        RETURN;
    END IF;

    over := verdict = 'never' OR row.created_at < now() - give_up_after;
    UPDATE ler.outbox AS o
    SET state = CASE WHEN over THEN 'failed' ELSE o.state END,
        done_at = CASE WHEN over THEN now() END,
        status = record_delivery.status, fault = record_delivery.fault, taken_until = NULL,
        next_try_at = now() + CASE place.state WHEN 'paused' THEN greatest(pause, interval '1 hour') ELSE pause END
    WHERE o.id = row.id;
    IF (over OR row.attempts >= 4) AND ler.is_mailed(told.kind, told.data) THEN
        PERFORM ler.mail_notice(told.id, told.audience_id, told.data);
    END IF;
    IF over AND told.audience_id <> ler.platform_operator() THEN
        PERFORM ler.tell(ler.platform_operator(), 'notice.undelivered', NULL, told.audience_id, jsonb_build_object(
            'notice_id', told.id, 'told_kind', told.kind, 'channel', row.channel, 'fault', fault
        ));
    END IF;
    IF place.id IS NULL THEN
        RETURN;
    END IF;
    UPDATE ler.notice_endpoint AS e
    SET failures = e.failures + 1, failing_since = coalesce(e.failing_since, now()),
        hold_until = coalesce(now() + hold, e.hold_until)
    WHERE e.id = place.id;
    IF verdict = 'gone' THEN
        PERFORM ler.put_out_of_use(place.id, 'disabled', 'gone');
    ELSIF place.state = 'active' AND place.failures >= 9 AND place.failing_since < now() - pause_after THEN
        UPDATE ler.notice_endpoint AS e SET state = 'paused', reason = fault WHERE e.id = place.id;
        PERFORM ler.tell(place.organisation_id, 'endpoint.paused', NULL, NULL, jsonb_build_object(
            'endpoint_id', place.id, 'channel', place.channel, 'fault', fault
        ));
    END IF;
END
$$;


-- Ends an endpoint, whose row the caller holds: what waits for it is dropped, and mailed where it must not be lost.
CREATE OR REPLACE FUNCTION ler.put_out_of_use(endpoint uuid, new_state text, why text)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    place ler.notice_endpoint;
BEGIN
    UPDATE ler.notice_endpoint AS e SET state = new_state, reason = why
    WHERE e.id = endpoint
    RETURNING * INTO place;
    PERFORM ler.mail_notice(n.id, n.audience_id, n.data)
    FROM ler.outbox AS o
    JOIN ler.notice AS n ON n.id = o.notice_id
    WHERE o.endpoint_id = endpoint AND o.state = 'waiting' AND ler.is_mailed(n.kind, n.data);
    UPDATE ler.outbox AS o SET state = 'dropped', done_at = now(), taken_until = NULL
    WHERE o.endpoint_id = endpoint AND o.state = 'waiting';
    IF why = 'gone' THEN
        PERFORM ler.tell(place.organisation_id, 'endpoint.disabled', NULL, NULL, jsonb_build_object(
            'endpoint_id', place.id, 'channel', place.channel, 'fault', why
        ));
    END IF;
END
$$;


-- Ends what a dying worker took again and again without ever writing down what came of it, and takes away what was done
-- with longer ago than `keep`.
CREATE OR REPLACE FUNCTION ler.forget_deliveries(give_up_after interval, keep interval)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    UPDATE ler.outbox AS o SET state = 'failed', fault = 'never-finished', done_at = now(), taken_until = NULL
    WHERE o.state = 'waiting' AND o.attempts >= 30 AND o.taken_until <= now()
        AND o.created_at < now() - give_up_after;
    DELETE FROM ler.outbox AS o WHERE o.state <> 'waiting' AND o.done_at < now() - keep;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM ler.change_task AS t WHERE t.done_at < now() - keep;
    RETURN gone;
END
$$;
