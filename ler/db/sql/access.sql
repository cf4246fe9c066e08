-- Who calls. These functions are asked before anybody is anybody, and so run with the rights of the tables' owner; none
-- gives out a secret, and what they store they store for the organisation whose token, key or login was proved.

-- Whether a token was ended, or one from which it comes was, or the program or person whose they are. Up its line, so
-- that a token that is being made while its maker is ended does not live on.
CREATE OR REPLACE FUNCTION ler.is_ended(token uuid)
RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    RETURN (
        WITH RECURSIVE line AS (
            SELECT t.revoked_at, t.made_by, t.account_id, t.client_id
            FROM ler.access_token AS t
            WHERE t.id = is_ended.token
            UNION ALL
            SELECT t.revoked_at, t.made_by, t.account_id, t.client_id
            FROM line AS l
            JOIN ler.access_token AS t ON t.id = l.made_by
        )
        SELECT coalesce(bool_or(
            l.revoked_at IS NOT NULL
            OR EXISTS (SELECT FROM ler.account AS a WHERE a.id = l.account_id AND a.ended_at IS NOT NULL)
            OR EXISTS (SELECT FROM ler.client AS c WHERE c.id = l.client_id AND c.revoked_at IS NOT NULL)
        ), true)
        FROM line AS l
    );
END
$$;


-- What each token is worth at this moment, which only the functions that prove one may see. A person that is no
-- administrator has fewer rights than the organisation; a token of no person is the organisation's.
CREATE VIEW ler.known_token AS
SELECT
    t.prefix, t.id, t.owner_id, t.secret_sha256, t.scopes,
    t.expires_at <= now()
        OR coalesce(coalesce(t.last_used_at, t.created_at) + make_interval(secs => t.idle_s) <= now(), false) AS expired,
    -- Of one that no other token made there is no line to follow, which takes as long as all the rest.
    CASE WHEN t.made_by IS NULL
        THEN t.revoked_at IS NOT NULL OR a.ended_at IS NOT NULL OR c.revoked_at IS NOT NULL
        ELSE ler.is_ended(t.id)
    END AS revoked,
    t.kind, t.account_id, coalesce(a.administrator, true) AS administrator, t.area IS NOT NULL AS bounded,
    -- Those of ler.granted_roles, which takes longer to call than these to be asked.
    ARRAY(
        SELECT g.role
        FROM ler.grant AS g
        WHERE g.organisation_id = t.owner_id
            AND g.valid_from <= now() AND (g.valid_to IS NULL OR g.valid_to > now())
    ) AS roles,
    t.expires_at, t.made_by IS NOT NULL AS derived
FROM ler.access_token AS t
LEFT JOIN ler.account AS a ON a.id = t.account_id
LEFT JOIN ler.client AS c ON c.id = t.client_id;


-- The token with that prefix: whose it is, and what it is worth at this moment. The secret's hash is compared by the
-- caller in constant time; of a secret of 190 random bits it gives nothing away.
CREATE OR REPLACE FUNCTION ler.find_token(wanted text)
RETURNS TABLE (
    id uuid, owner_id uuid, secret_sha256 text, scopes text[], expired boolean, revoked boolean, kind text,
    account_id uuid, administrator boolean, bounded boolean, roles text[], expires_at timestamptz, derived boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT
        t.id, t.owner_id, t.secret_sha256, t.scopes, t.expired, t.revoked, t.kind, t.account_id, t.administrator,
        t.bounded, t.roles, t.expires_at, t.derived
    FROM ler.known_token AS t
    WHERE t.prefix = wanted;
END
$$;

-- The same of a token that was proved before, without its secret: for what lasts longer than a call.
CREATE OR REPLACE FUNCTION ler.find_token(wanted uuid)
RETURNS TABLE (
    id uuid, owner_id uuid, secret_sha256 text, scopes text[], expired boolean, revoked boolean, kind text,
    account_id uuid, administrator boolean, bounded boolean, roles text[], expires_at timestamptz, derived boolean
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT
        f.id, f.owner_id, NULL, f.scopes, f.expired, f.revoked, f.kind, f.account_id, f.administrator, f.bounded,
        f.roles, f.expires_at, f.derived
    FROM ler.access_token AS t
    CROSS JOIN LATERAL ler.find_token(t.prefix) AS f
    WHERE t.id = wanted
$$;


-- Makes a token of the principal by another of its tokens, with no more than that one has: its scopes at most, an area
-- within its area, the same person, and an end that is not later, unless a login made it.
--
--   LE404  no such token, or it is worth nothing     LE403  scopes or area that it does not have
--   LE410  a life longer than its own
CREATE OR REPLACE FUNCTION ler.make_token(
    maker uuid, prefix text, secret_sha256 text, scopes text[], note text, life interval, area @postgis@.geometry
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    parent ler.access_token;
    made uuid;
BEGIN
    SELECT t.* INTO parent
    FROM ler.access_token AS t
    WHERE t.id = make_token.maker AND t.owner_id = ler.principal() AND t.expires_at > now()
        AND NOT ler.is_ended(t.id)
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such token' USING ERRCODE = 'LE404';
    END IF;
    IF NOT make_token.scopes <@ parent.scopes
        OR parent.area IS NOT NULL AND make_token.area IS NOT NULL AND NOT ST_Covers(parent.area, make_token.area)
    THEN
        RAISE EXCEPTION 'more than its maker may' USING ERRCODE = 'LE403';
    END IF;
    IF parent.kind <> 'session' AND now() + make_token.life > parent.expires_at THEN
        RAISE EXCEPTION 'longer than its maker lives' USING ERRCODE = 'LE410';
    END IF;
    INSERT INTO ler.access_token (
        owner_id, prefix, secret_sha256, scopes, note, expires_at, account_id, made_by, area
    ) VALUES (
        parent.owner_id, make_token.prefix, make_token.secret_sha256, make_token.scopes, make_token.note,
        coalesce(now() + make_token.life, least(now() + interval '24 hours', parent.expires_at)), parent.account_id, CASE WHEN parent.kind <> 'session' THEN parent.id END,
        coalesce(make_token.area, parent.area)
    ) RETURNING id INTO made;
    RETURN made;
END
$$;


-- The keys by which a program proves who it is, while it may; with the moment, by which alone its assertions are judged.
CREATE OR REPLACE FUNCTION ler.client_keys(wanted uuid)
RETURNS TABLE (owner_id uuid, scopes text[], keys jsonb, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT c.owner_id, c.scopes, jsonb_object_agg(k.kid, k.jwk), now()
    FROM ler.client AS c
    JOIN ler.client_key AS k ON k.client_id = c.id AND k.revoked_at IS NULL
    WHERE c.id = wanted AND c.revoked_at IS NULL
    GROUP BY c.owner_id, c.scopes
$$;


-- Hands a program its token for an assertion that was proved and not used before: the insert of its name is the check,
-- and of two at once one waits for the other and fails. The name is kept beyond the assertion's end by twice the
-- leeway, so that it is known for as long as it could be played again.
--
--   LE404  the program or its key is ended     LE409  used before
CREATE OR REPLACE FUNCTION ler.issue_client_token(
    client_id uuid, kid text, jti_sha256 text, expires_at timestamptz, leeway interval,
    prefix text, secret_sha256 text, scopes text[], life interval
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    program ler.client;
    made uuid;
BEGIN
    SELECT c.* INTO program
    FROM ler.client AS c
    JOIN ler.client_key AS k ON k.client_id = c.id
    WHERE c.id = issue_client_token.client_id AND c.revoked_at IS NULL
        AND k.kid = issue_client_token.kid AND k.revoked_at IS NULL
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such client' USING ERRCODE = 'LE404';
    END IF;
    INSERT INTO ler.used_assertion (client_id, jti_sha256, expires_at)
    VALUES (program.id, issue_client_token.jti_sha256, issue_client_token.expires_at + 2 * issue_client_token.leeway)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'used before' USING ERRCODE = 'LE409';
    END IF;
    INSERT INTO ler.access_token (
        owner_id, prefix, secret_sha256, scopes, note, expires_at, kind, client_id, area
    )
    SELECT
        program.owner_id, issue_client_token.prefix, issue_client_token.secret_sha256,
        array_agg(wanted.scope ORDER BY wanted.scope), program.name, now() + issue_client_token.life, 'client', program.id,
        program.area
    FROM unnest(issue_client_token.scopes) AS wanted (scope)
    WHERE wanted.scope = ANY (program.scopes)
    RETURNING id INTO made;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        program.owner_id, 'auth:client_token:issue', made,
        jsonb_build_object('client_id', program.id, 'kid', issue_client_token.kid)
    );
    RETURN made;
END
$$;


-- The members that somebody is, by the word of an issuer: those that it has named before, and those with an address
-- that the issuer has made sure of and nobody has logged in as yet.
CREATE OR REPLACE FUNCTION ler.find_accounts(issuer text, subject text, email text)
RETURNS TABLE (account_id uuid, owner_id uuid, cvr text, name text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT a.id, o.id, o.cvr, o.name
    FROM ler.account AS a
    JOIN ler.organisation AS o ON o.id = a.organisation_id
    WHERE a.ended_at IS NULL AND (
        a.issuer = find_accounts.issuer AND a.subject = find_accounts.subject
        OR a.issuer IS NULL AND lower(a.email) = lower(find_accounts.email)
    )
    ORDER BY o.name, o.id
$$;


-- Begins the session of a member that has logged in, and keeps whom the issuer means by it from the first login on.
--
--   LE404  it is nobody of that name, or has become somebody else's
CREATE OR REPLACE FUNCTION ler.begin_session(
    account_id uuid, issuer text, subject text, email text, prefix text, secret_sha256 text, scopes text[],
    life interval, idle_s integer, acr text, amr text[]
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    person ler.account;
    made uuid;
BEGIN
    SELECT a.* INTO person FROM ler.account AS a WHERE a.id = begin_session.account_id AND a.ended_at IS NULL FOR UPDATE;
    IF person.issuer IS NULL AND lower(person.email) = lower(begin_session.email) THEN
        UPDATE ler.account AS a
        SET issuer = begin_session.issuer, subject = begin_session.subject
        WHERE a.id = person.id;
        INSERT INTO ler.audit_event (actor, action, object_id, details)
        VALUES (
            person.organisation_id, 'auth:account:link', person.id, jsonb_build_object('issuer', begin_session.issuer)
        );
    ELSIF (person.issuer, person.subject) IS DISTINCT FROM (begin_session.issuer, begin_session.subject) THEN
        RAISE EXCEPTION 'no such member' USING ERRCODE = 'LE404';
    END IF;
    INSERT INTO ler.access_token (
        owner_id, prefix, secret_sha256, scopes, expires_at, kind, account_id, idle_s, acr, amr
    ) VALUES (
        person.organisation_id, begin_session.prefix, begin_session.secret_sha256, begin_session.scopes,
        now() + begin_session.life, 'session', person.id, begin_session.idle_s, begin_session.acr, begin_session.amr
    ) RETURNING id INTO made;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        person.organisation_id, 'auth:session:begin', made,
        jsonb_build_object('account_id', person.id, 'acr', begin_session.acr, 'amr', begin_session.amr)
    );
    RETURN made;
END
$$;


-- Takes one call from a bucket of `most` a minute (generic cell rate algorithm: one moment is kept, and no count). What
-- is not there is not waited for: `wait_s` says when it will be.
CREATE OR REPLACE FUNCTION ler.take_call(bucket text, most integer)
RETURNS TABLE (taken boolean, left_over integer, full_in_s double precision, wait_s double precision)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    step interval := interval '1 minute' / most;
    empty timestamptz;
BEGIN
    INSERT INTO ler.call_bucket AS b (name, empty_at)
    VALUES (bucket, moment + step)
    ON CONFLICT (name) DO UPDATE SET empty_at = greatest(b.empty_at, moment) + step
        WHERE greatest(b.empty_at, moment) + step <= moment + interval '1 minute'
    RETURNING b.empty_at INTO empty;
    taken := FOUND;
    IF NOT taken THEN
        SELECT b.empty_at INTO empty FROM ler.call_bucket AS b WHERE b.name = bucket;
    END IF;
    full_in_s := extract(epoch FROM greatest(empty - moment, interval '0'));
    left_over := greatest(floor((60.0 - full_in_s) * most / 60.0 + 1e-6), 0)::integer;
    wait_s := CASE WHEN taken THEN 0 ELSE greatest(full_in_s - 60.0 + 60.0 / most, 0) END;
    RETURN NEXT;
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


-- Counts a call of a token that was proved. That it is used is kept to the minute; that somebody calls too often is
-- recorded once a minute. Nobody waits for the disk here: what a crash takes is a minute's counting.
CREATE OR REPLACE FUNCTION ler.count_call(token uuid, bucket text, most integer)
RETURNS TABLE (taken boolean, left_over integer, full_in_s double precision, wait_s double precision)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM ler.touch_token(token);
    SELECT c.* INTO taken, left_over, full_in_s, wait_s FROM ler.take_call(bucket, most) AS c;
    IF NOT taken THEN
        UPDATE ler.call_bucket AS b SET told_at = now()
        WHERE b.name = bucket AND (b.told_at IS NULL OR b.told_at < now() - interval '1 minute');
        IF FOUND THEN
            INSERT INTO ler.audit_event (actor, action, object_id, details)
            SELECT t.owner_id, 'auth:call:refuse', t.id, jsonb_build_object('reason', 'rate-limited', 'bucket', bucket)
            FROM ler.access_token AS t
            WHERE t.id = count_call.token;
        END IF;
    END IF;
    RETURN NEXT;
END
$$;


-- Records that a call was refused, in a transaction of its own, for the one that was refused is undone. Who has been
-- refused `most` times in the minute is not recorded further, and is told to wait: false.
CREATE OR REPLACE FUNCTION ler.record_refusal(
    what text, owner_id uuid, object_id uuid, details jsonb, bucket text, most integer
)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    IF what IS NOT NULL AND what NOT IN ('call', 'login', 'client', 'token', 'request') THEN
        RAISE EXCEPTION 'no such refusal' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT (SELECT c.taken FROM ler.take_call(record_refusal.bucket, record_refusal.most) AS c) THEN
        RETURN false;
    END IF;
    IF what IS NOT NULL THEN
        INSERT INTO ler.audit_event (actor, action, object_id, details)
        VALUES (
            record_refusal.owner_id, 'auth:' || what || ':refuse', record_refusal.object_id, record_refusal.details
        );
    END IF;
    RETURN true;
END
$$;


-- How much a requester may ask for, and whether what it asks for side by side looks like the drawing of a map. On the
-- table and not in a service, so that no way of asking passes by. The operator's own requests are not counted.
--
-- Areas are added up as they were asked for, also where they lie on each other.
--
-- An authority learns who has lines, and gets none of them by that role: it asks for orientation, of which owners know
-- nothing. Where it digs or plans it is an excavator besides.
--
--   LE403  outside the area for which it is granted a role, or for which its token was made     LE429  too much
--   LE405  an authority there, and nobody who may ask owners
CREATE OR REPLACE FUNCTION ler.check_asking()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asking CONSTANT text[] := '{excavator,private,authority,operator}';
    here CONSTANT text[] := ler.granted_roles(new.requester_id, new.area);
    token CONSTANT uuid := nullif(current_setting('ler.token', true), '')::uuid;
    allowed ler.request_limit;
    lately record;
BEGIN
    IF new.requester_id = ler.platform_operator() THEN
        RETURN new;
    END IF;
    IF ler.granted_roles(new.requester_id) && asking AND NOT here && asking
        OR token IS NOT NULL AND NOT EXISTS (
            SELECT FROM ler.access_token AS t
            WHERE t.id = token AND (t.area IS NULL OR ST_Covers(t.area, new.area))
        )
    THEN
        RAISE EXCEPTION 'outside the granted area' USING ERRCODE = 'LE403';
    ELSIF new.kind <> 'orientation' AND 'authority' = ANY (here) AND NOT here && array_remove(asking, 'authority') THEN
        RAISE EXCEPTION 'an authority asks no owners' USING ERRCODE = 'LE405';
    END IF;
    -- One at a time for each requester, or two at once would both be the last that is allowed.
    PERFORM pg_advisory_xact_lock(hashtextextended('asking ' || new.requester_id, 10));
    SELECT l.* INTO allowed
    FROM ler.request_limit AS l
    WHERE l.owner_id = new.requester_id OR l.owner_id IS NULL
    ORDER BY l.owner_id NULLS LAST
    LIMIT 1;
    SELECT
        count(*) FILTER (WHERE r.created_at > now() - interval '24 hours') AS requests,
        coalesce(sum(ST_Area(r.area)) FILTER (WHERE r.created_at > now() - interval '24 hours'), 0) AS day_m2,
        coalesce(sum(ST_Area(r.area)), 0) AS month_m2
    INTO lately
    FROM ler.excavation_request AS r
    WHERE r.requester_id = new.requester_id AND r.created_at > now() - interval '30 days';
    IF lately.requests >= allowed.requests_per_day
        OR lately.day_m2 + ST_Area(new.area) > allowed.area_m2_per_day
        OR lately.month_m2 + ST_Area(new.area) > allowed.area_m2_per_month
    THEN
        RAISE EXCEPTION 'too much asked for' USING ERRCODE = 'LE429';
    END IF;
    RETURN new;
END
$$;

CREATE OR REPLACE TRIGGER check_asking
BEFORE INSERT ON ler.excavation_request
FOR EACH ROW EXECUTE FUNCTION ler.check_asking();


-- Raises the alarm, once a day for each requester, when dig areas of the last 30 days that lie side by side (closer than
-- 5 m) are many and together large: so a network is drawn piece by piece. Looked for within 5 km of the new one.
CREATE OR REPLACE FUNCTION ler.watch_tiling()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    allowed ler.request_limit;
    patch record;
    covered_m2 double precision;
BEGIN
    SELECT l.* INTO allowed
    FROM ler.request_limit AS l
    WHERE l.owner_id = new.requester_id OR l.owner_id IS NULL
    ORDER BY l.owner_id NULLS LAST
    LIMIT 1;
    IF new.requester_id = ler.platform_operator() OR NOT FOUND THEN
        RETURN NULL;
    END IF;
    WITH near AS (
        SELECT r.id, r.area, ST_ClusterDBSCAN(r.area, 5, 1) OVER () AS cluster
        FROM ler.excavation_request AS r
        WHERE r.requester_id = new.requester_id AND r.created_at > now() - interval '30 days'
            AND r.area && ST_Expand(new.area, 5000)
    )
    SELECT count(*) AS tiles, sum(ST_Area(n.area)) AS asked_m2, array_agg(n.id) AS ids INTO patch
    FROM near AS n
    WHERE n.cluster = (SELECT m.cluster FROM near AS m WHERE m.id = new.id);
    IF patch.tiles < allowed.tiles OR patch.asked_m2 < allowed.tiles_area_m2 THEN
        RETURN NULL;
    END IF;
    -- The same area asked for again and again is no map.
    SELECT ST_Area(ST_Union(r.area)) INTO covered_m2 FROM ler.excavation_request AS r WHERE r.id = ANY (patch.ids);
    IF covered_m2 >= allowed.tiles_area_m2 AND NOT EXISTS (
        SELECT FROM ler.alarm AS a
        WHERE a.owner_id = new.requester_id AND a.kind = 'tiling' AND a.at > now() - interval '24 hours'
    ) THEN
        -- Mailed once: an alarm that one of the areas gave already is of the same case.
        INSERT INTO ler.alarm (owner_id, kind, request_id, data)
        VALUES (
            new.requester_id, 'tiling', new.id,
            jsonb_build_object('requests', patch.tiles, 'area_m2', round(covered_m2)) || CASE
                WHEN EXISTS (
                    SELECT FROM ler.alarm AS a
                    WHERE a.owner_id = new.requester_id AND a.kind = 'tiling' AND a.request_id = ANY (patch.ids)
                ) THEN '{"quiet": true}'
                ELSE '{}'
            END::jsonb
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER watch_tiling
AFTER INSERT ON ler.excavation_request
FOR EACH ROW EXECUTE FUNCTION ler.watch_tiling();


-- An alarm is recorded, and the operator is told.
CREATE OR REPLACE FUNCTION ler.tell_alarm()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (new.owner_id, 'platform:' || new.kind || ':alarm', new.id, new.data || jsonb_build_object('request_id', new.request_id));
    INSERT INTO ler.notice (audience_id, kind, owner_id, data)
    VALUES (
        ler.platform_operator(), 'platform.' || new.kind, new.owner_id,
        new.data || jsonb_build_object('alarm_id', new.id)
    );
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER tell_alarm
AFTER INSERT ON ler.alarm
FOR EACH ROW EXECUTE FUNCTION ler.tell_alarm();


-- Takes away what has no use any more: names of assertions that can be played no longer, tokens of programs and logins
-- that ended a week ago and have made none that lives, and buckets that are empty.
CREATE OR REPLACE FUNCTION ler.forget_access()
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH assertions AS (DELETE FROM ler.used_assertion AS u WHERE u.expires_at <= now() RETURNING 1),
    tokens AS (
        DELETE FROM ler.access_token AS t
        WHERE t.kind IN ('client', 'session') AND t.expires_at <= now() - interval '7 days'
            AND NOT EXISTS (SELECT FROM ler.access_token AS made WHERE made.made_by = t.id)
        RETURNING 1
    ),
    buckets AS (DELETE FROM ler.call_bucket AS b WHERE b.empty_at <= now() - interval '2 minutes' RETURNING 1)
    SELECT (SELECT count(*) FROM assertions) + (SELECT count(*) FROM tokens) + (SELECT count(*) FROM buckets)
$$;
