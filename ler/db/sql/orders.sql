-- Requests as their requesters see, extend and end them. The lock order is that of requests.sql.

-- Answers a request for orientation, once: names whom any other request would ask there (ler.whom_to_ask), as they are
-- registered now, and asks none of them. Row by row they are kept with the request.
--
--   LE401  nobody acts     LE403  no role of an authority there     LE404  no such request, or not yours
--   LE409  of another kind, or answered already
CREATE OR REPLACE FUNCTION ler.name_owners(request_id uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    acting constant uuid := ler.principal();
    wanted constant uuid := name_owners.request_id;
    request ler.excavation_request;
    named jsonb;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    SELECT r.* INTO request FROM ler.excavation_request AS r WHERE r.id = wanted AND r.requester_id = acting FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such request' USING ERRCODE = 'LE404';
    END IF;
    IF request.kind <> 'orientation' OR request.matched_at IS NOT NULL THEN
        RAISE EXCEPTION 'not to be answered so' USING ERRCODE = 'LE409';
    END IF;
    IF NOT ler.granted_roles(acting, request.area) && '{authority,operator}' THEN
        RAISE EXCEPTION 'no authority' USING ERRCODE = 'LE403';
    END IF;
    WITH asked AS MATERIALIZED (SELECT * FROM ler.whom_to_ask(request))
    SELECT coalesce(jsonb_agg(to_jsonb(one) ORDER BY one.cvr, one.name), '[]') INTO named
    FROM (
        SELECT f.owner_id, o.cvr, o.name, o.email, o.phone,
            array_agg(i.registration_number ORDER BY i.registration_number) AS interest_areas,
            (
                SELECT array_agg(DISTINCT kind ORDER BY kind)
                FROM (SELECT * FROM ler.find_owners(request.area) UNION SELECT * FROM asked) AS g
                JOIN ler.interest_area AS j ON j.id = g.interest_area_id
                CROSS JOIN LATERAL unnest(j.utility_types) AS kind
                WHERE g.owner_id = f.owner_id
            ) AS utility_types
        FROM asked AS f
        JOIN ler.interest_area AS i ON i.id = f.interest_area_id
        JOIN ler.organisation AS o ON o.id = f.owner_id
        GROUP BY f.owner_id, o.cvr, o.name, o.email, o.phone
    ) AS one;
    -- As the machine of ler.domain.states leads: nobody was asked, so nothing is missing. The revision stays: there is no
    -- package of it.
    UPDATE ler.excavation_request AS r SET matched_at = now(), owners_named = named, state = 'complete'
    WHERE r.id = wanted;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (acting, 'ler:excavation_request:orient', wanted, jsonb_build_object('owners', jsonb_array_length(named)));
END
$$;


-- Whom one's own request asked, area by area, and how far each is: what a receipt says and no more. Where an owner's
-- interest lies is not part of it.
CREATE OR REPLACE FUNCTION ler.list_asked_owners(request_ids uuid[])
RETURNS TABLE (
    request_id uuid,
    owner_id uuid,
    cvr text,
    name text,
    email text,
    phone text,
    interest_area_id uuid,
    registration_number bigint,
    utility_types text[],
    state text,
    received_at timestamptz,
    due_at timestamptz,
    dispensed boolean,
    acknowledged_at timestamptz,
    answered_at timestamptz,
    late boolean,
    answer_type text,
    valid_until date,
    further_information text,
    expected_time timestamptz,
    appointment jsonb,
    contacts jsonb
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT q.request_id, q.owner_id, o.cvr, o.name, o.email, o.phone, q.interest_area_id, i.registration_number,
        i.utility_types, q.state, q.received_at, q.due_at, q.dispensed,
        q.acknowledged_at, q.answered_at, q.late,
        a.answer_type, a.valid_until, a.further_information, a.expected_time, a.appointment,
        -- Whom to turn to there about such a request and such lines, the nearest first.
        (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_build_object('name', c.name, 'email', c.email, 'phone', c.phone)
                    ORDER BY c.purpose NULLS LAST, c.utility_type NULLS LAST, c.rank, c.id
                ),
                '[]'
            )
            FROM ler.contact AS c
            WHERE c.owner_id = q.owner_id AND (c.purpose IS NULL OR c.purpose = r.kind)
                AND (c.utility_type IS NULL OR c.utility_type = ANY (i.utility_types))
        )
    FROM ler.owner_request AS q
    JOIN ler.excavation_request AS r ON r.id = q.request_id
    JOIN ler.interest_area AS i ON i.id = q.interest_area_id
    JOIN ler.organisation AS o ON o.id = q.owner_id
    LEFT JOIN LATERAL (
        SELECT g.*
        FROM ler.owner_answer AS g
        WHERE g.request_id = q.request_id AND g.owner_id = q.owner_id AND g.replaced_at IS NULL
            AND (g.interest_area_id IS NULL OR g.interest_area_id = q.interest_area_id)
        ORDER BY g.interest_area_id NULLS LAST
        LIMIT 1
    ) AS a ON true
    WHERE q.request_id = ANY (list_asked_owners.request_ids) AND q.requester_id = ler.principal()
    ORDER BY q.request_id, o.cvr NULLS LAST, o.name, i.registration_number
$$;


-- Gives one's own request a later last day. A revision is one more, since packages say the period.
--
--   LE401  nobody acts          LE404  no such request, or not yours     LE409  over already, or for orientation
--   LE412  it has changed since revision `seen` (NULL: whatever it is)   LE422  not a later day
CREATE OR REPLACE FUNCTION ler.extend_request(request_id uuid, last_day date, seen integer)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    acting constant uuid := ler.principal();
    wanted constant uuid := extend_request.request_id;
    request ler.excavation_request;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    SELECT r.* INTO request FROM ler.excavation_request AS r WHERE r.id = wanted AND r.requester_id = acting FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such request' USING ERRCODE = 'LE404';
    END IF;
    IF seen IS NOT NULL AND request.revision <> seen THEN
        RAISE EXCEPTION 'the request has changed' USING ERRCODE = 'LE412';
    END IF;
    -- The sweep may not have come yet: a request whose last day is over is not brought back to life. One for
    -- orientation holds as of the day on which it was made.
    IF request.state NOT IN ('open', 'answered', 'complete') OR request.period_to < ler.legal_today()
        OR request.kind = 'orientation'
    THEN
        RAISE EXCEPTION 'the request is over' USING ERRCODE = 'LE409';
    END IF;
    IF last_day <= request.period_to THEN
        RAISE EXCEPTION 'not a later day' USING ERRCODE = 'LE422';
    END IF;
    UPDATE ler.excavation_request AS r SET period_to = last_day, revision = r.revision + 1 WHERE r.id = wanted;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        acting, 'requester:excavation_request:extend', wanted,
        jsonb_build_object('period_to', last_day, 'before', request.period_to)
    );
END
$$;


-- The date in Denmark, by the database's clock.
CREATE OR REPLACE FUNCTION ler.legal_today()
RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN (now() AT TIME ZONE 'Europe/Copenhagen')::date;


-- Ends the requests whose last day is over in legal time, and what they asked of owners, answered or not; returns their
-- number, at most `most`. What others hold locked comes with the next sweep.
CREATE OR REPLACE FUNCTION ler.end_requests(most integer)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH over AS MATERIALIZED (
        SELECT r.id, r.state
        FROM ler.excavation_request AS r
        WHERE r.period_to < ler.legal_today() AND r.state IN ('open', 'answered', 'complete')
        ORDER BY r.period_to, r.id
        LIMIT most
        FOR UPDATE SKIP LOCKED
    ),
    ended AS (
        UPDATE ler.excavation_request AS r SET state = 'ended' FROM over AS o WHERE r.id = o.id
        RETURNING r.id, o.state AS before
    ),
    asked AS (
        UPDATE ler.owner_request AS q SET state = 'ended'
        FROM ended AS e
        WHERE q.request_id = e.id AND q.state NOT IN ('cancelled', 'ended')
    ),
    told AS (
        INSERT INTO ler.audit_event (actor, action, object_id, details)
        SELECT NULL, 'ler:excavation_request:end', e.id, jsonb_build_object('state', e.before) FROM ended AS e
        RETURNING 1
    )
    SELECT count(*) FROM told
$$;


-- Erases what requests said that were over `years` years ago: area, texts, contacts, and all that was delivered. Left is
-- what statistics need and what the trail refers to: when, what kind, in which square of 10 km, who was asked, and how
-- each answered. Returns their number, at most `most`.
CREATE OR REPLACE FUNCTION ler.erase_requests(years integer, most integer)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    old uuid[];
BEGIN
    IF years < 1 THEN
        RAISE EXCEPTION 'not so soon' USING ERRCODE = 'LE422';
    END IF;
    SELECT coalesce(array_agg(r.id), '{}') INTO old
    FROM (
        SELECT q.id
        FROM ler.excavation_request AS q
        WHERE q.state IN ('cancelled', 'ended') AND q.period_to + make_interval(years => years) < ler.legal_today()
        ORDER BY q.period_to, q.id
        LIMIT most
        FOR UPDATE SKIP LOCKED
    ) AS r;
    UPDATE ler.owner_request AS q
    SET appointment = NULL, marking_reason = NULL, marking_note = NULL
    WHERE q.request_id = ANY (old);
    DELETE FROM ler.withheld_feature AS w WHERE w.request_id = ANY (old);
    DELETE FROM ler.answer_withheld AS w WHERE w.request_id = ANY (old);
    DELETE FROM ler.answer_attachment AS t WHERE t.request_id = ANY (old);
    DELETE FROM ler.package_feature AS p WHERE p.request_id = ANY (old);
    DELETE FROM ler.object_conflict AS c WHERE c.request_id = ANY (old);
    DELETE FROM ler.precaution_hit AS p WHERE p.request_id = ANY (old);
    DELETE FROM ler.package_drawing AS p WHERE p.request_id = ANY (old);
    DELETE FROM ler.package AS p WHERE p.request_id = ANY (old);
    UPDATE ler.owner_answer AS a SET header = NULL, further_information = NULL, appointment = NULL
    WHERE a.request_id = ANY (old);
    UPDATE ler.excavation_request AS r
    SET state = 'erased', purpose = 'slettet', description = NULL, order_reference = NULL, contact_person = NULL,
        contact_address = NULL, contact_email = NULL, contact_phone = NULL, owners_named = NULL, work_kind_other = NULL,
        address_ids = '{}',
        area = (
            SELECT ST_MakeEnvelope(west, south, west + 10000, south + 10000, 25832)
            FROM (
                SELECT floor(ST_XMin(r.area) / 10000) * 10000 AS west, floor(ST_YMin(r.area) / 10000) * 10000 AS south
            ) AS corner
        )
    WHERE r.id = ANY (old);
    INSERT INTO ler.audit_event (actor, action, object_id)
    SELECT NULL, 'ler:excavation_request:erase', id FROM unnest(old) AS id;
    RETURN cardinality(old);
END
$$;
