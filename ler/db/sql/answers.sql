-- What owners do with what they are asked: fetch it, answer, correct and withdraw the answer, point lines out on site.
--
-- Each function locks the request, then what was asked of this owner in the order of its ids, then answers; and acts for
-- the owner only whose it is: anybody else's is told as absent.
--
--   LE401  nobody acts             LE404  no such thing, or not yours      LE409  not possible in this state
--   LE411  answered before: mark a further answer as an update
--   LE412  nothing was answered that could be updated                      LE422  no line lies in the dig area

-- Where an event leads from a state, as the owner's machine of ler.domain.states has it.
CREATE OR REPLACE FUNCTION ler.owner_state_after(state text, event text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    unanswered constant boolean := state IN ('asked', 'acknowledged');
    told constant boolean := state IN ('taken-out', 'to-be-marked', 'answered', 'marked');
    may_answer constant boolean := unanswered OR told OR state = 'withdrawn';
    follows constant text := CASE
        WHEN event = 'acknowledge' AND state = 'asked' THEN 'acknowledged'
        WHEN event = 'answer' AND may_answer THEN 'answered'
        WHEN event = 'call-to-site' AND may_answer THEN 'to-be-marked'
        WHEN event = 'take-out' AND (unanswered OR state IN ('taken-out', 'withdrawn')) THEN 'taken-out'
        WHEN event = 'ask-to-mark' AND state IN ('answered', 'marked') THEN 'to-be-marked'
        WHEN event = 'mark' AND state = 'to-be-marked' THEN 'marked'
        WHEN event = 'withdraw' AND told THEN 'withdrawn'
    END;
BEGIN
    IF follows IS NULL THEN
        RAISE EXCEPTION 'the owner request is %: % is not possible', state, event USING ERRCODE = 'LE409';
    END IF;
    RETURN follows;
END
$$;


-- Locks a request and all that was asked of one owner for it, and returns the part that is wanted. `acting` is that
-- owner, or, when `by_requester`, who asked.
CREATE OR REPLACE FUNCTION ler.lock_owner_request(wanted uuid, acting uuid, by_requester boolean DEFAULT false)
RETURNS ler.owner_request
LANGUAGE plpgsql
AS $$
DECLARE
    asked ler.owner_request;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    SELECT * INTO asked
    FROM ler.owner_request AS q
    WHERE q.id = wanted AND acting = CASE WHEN by_requester THEN q.requester_id ELSE q.owner_id END;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such owner request' USING ERRCODE = 'LE404';
    END IF;
    PERFORM FROM ler.excavation_request AS r WHERE r.id = asked.request_id FOR UPDATE;
    PERFORM FROM ler.owner_request AS q
    WHERE q.request_id = asked.request_id AND q.owner_id = asked.owner_id
    ORDER BY q.id
    FOR UPDATE;
    -- As it is now that nobody else can change it.
    SELECT * INTO STRICT asked FROM ler.owner_request AS q WHERE q.id = wanted;
    RETURN asked;
END
$$;


-- What was asked of an owner for the areas that an answer speaks for. One for a single area speaks for that; one for
-- all areas of the owner, for those that have been answered and have no answer of their own.
CREATE OR REPLACE FUNCTION ler.covered_by(answer ler.owner_answer)
RETURNS SETOF ler.owner_request
LANGUAGE sql STABLE
AS $$
    SELECT q.*
    FROM ler.owner_request AS q
    WHERE q.request_id = (answer).request_id AND q.owner_id = (answer).owner_id
        AND CASE
            WHEN (answer).interest_area_id IS NOT NULL THEN q.interest_area_id = (answer).interest_area_id
            ELSE q.answered_at IS NOT NULL AND NOT EXISTS (
                SELECT FROM ler.owner_answer AS a
                WHERE a.request_id = q.request_id AND a.owner_id = q.owner_id
                    AND a.interest_area_id = q.interest_area_id
            )
        END
    ORDER BY q.id
$$;


-- The newest answer to what was asked, whether it holds or was taken back; NULL when there was none.
CREATE OR REPLACE FUNCTION ler.newest_answer(asked ler.owner_request)
RETURNS ler.owner_answer
LANGUAGE sql STABLE
AS $$
    SELECT a
    FROM ler.owner_answer AS a
    WHERE a.request_id = (asked).request_id AND a.owner_id = (asked).owner_id
        AND (
            a.interest_area_id = (asked).interest_area_id
            OR a.interest_area_id IS NULL AND (asked).answered_at IS NOT NULL
        )
    ORDER BY a.interest_area_id IS NULL, a.revision DESC
    LIMIT 1
$$;


-- The owner has fetched what it was asked. Said again it changes nothing.
CREATE OR REPLACE FUNCTION ler.acknowledge(owner_request_id uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asked constant ler.owner_request := ler.lock_owner_request(owner_request_id, ler.principal());
BEGIN
    IF asked.acknowledged_at IS NOT NULL THEN
        RETURN;
    END IF;
    UPDATE ler.owner_request AS q
    SET state = ler.owner_state_after(q.state, 'acknowledge'), acknowledged_at = now()
    WHERE q.id = asked.id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        asked.owner_id, 'owner:owner_request:acknowledge', asked.id,
        jsonb_build_object('request_id', asked.request_id)
    );
END
$$;


-- The step of ler.give_answer, which alone may call it, that stores what of the owner's features lies in the area: as a
-- match does (match.sql), from a file instead of the network. Lines and attachments without a place go with what refers
-- to them; those that nothing in the file refers to belong to the answer as such.
CREATE OR REPLACE FUNCTION ler.take_features(
    answer ler.owner_answer, features jsonb, request ler.excavation_request
)
RETURNS TABLE (delivered integer, lines integer, clipped integer, outside integer, left_out_references integer)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    reach constant @postgis@.geometry := ler.reach((request).area, (request).clip_buffer_m);
    widths_m constant double precision[] := ler.band_widths_m((request).unknown_accuracy_m);
    reaches constant @postgis@.geometry[] := ler.band_reaches((request).area, (request).clip_buffer_m, widths_m);
BEGIN
    WITH RECURSIVE feature AS MATERIALIZED (
        SELECT f.*, part.whole, part.geom AS inside
        FROM jsonb_to_recordset(features) AS f (
            seq bigint, feature_type text, gml_id text, utility_type text, operational_status text, ownership text,
            established text, danger_class text, ler_id text, drawing_method text, horizontal_accuracy text,
            vertical_accuracy text, registered_from text, precautions text, indicative_depth_mm double precision,
            level text, attributes jsonb, voids jsonb, geom @postgis@.geometry
        )
        CROSS JOIN LATERAL (SELECT ler.covers(reach, f.geom) OFFSET 0) AS covered (so)
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN covered.so THEN f.geom
                WHEN f.feature_type IN ('LinearDimension', 'TextAnnotation', 'LinearAnnotation') THEN NULL
                ELSE ler.delivered_part(
                    f.geom,
                    ler.half_band_m(
                        f.feature_type, f.horizontal_accuracy, f.drawing_method, f.attributes, f.geom,
                        (request).unknown_accuracy_m
                    ),
                    (request).area, reach, widths_m, reaches
                )
            END
            OFFSET 0
        ) AS cut (geom)
        CROSS JOIN LATERAL (
            SELECT covered.so OR cut.geom::bytea IS NOT DISTINCT FROM f.geom::bytea AS whole, cut.geom
            OFFSET 0
        ) AS part
    ),
    reference AS MATERIALIZED (
        SELECT f.gml_id AS referring, r.gml_id AS target
        FROM feature AS f
        CROSS JOIN LATERAL unnest('{indeholdtLedning,bilag}'::text[]) AS attribute (name)
        CROSS JOIN LATERAL ler.pointers(f.attributes -> attribute.name) AS r (gml_id)
    ),
    kept AS (
        SELECT f.gml_id
        FROM feature AS f
        WHERE f.inside IS NOT NULL
            OR f.geom IS NULL AND NOT EXISTS (SELECT FROM reference AS r WHERE r.target = f.gml_id)
        UNION
        SELECT f.gml_id
        FROM kept AS k
        JOIN reference AS r ON r.referring = k.gml_id
        JOIN feature AS f ON f.gml_id = r.target
        -- A line with a place of its own elsewhere stays there; an attachment comes without its place.
        WHERE f.geom IS NULL OR f.feature_type = 'Informationsressource'
    )
    INSERT INTO ler.package_feature (
        request_id, requester_id, owner_id, answer_id, seq, feature_type, gml_id, utility_type, operational_status,
        ownership, established, danger_class, ler_id, drawing_method, horizontal_accuracy, vertical_accuracy,
        registered_from, precautions, indicative_depth_mm, level, attributes, voids, geom, clipped
    )
    SELECT
        (answer).request_id, (answer).requester_id, (answer).owner_id, (answer).id, f.seq, f.feature_type, f.gml_id,
        f.utility_type, f.operational_status, f.ownership, f.established, f.danger_class, f.ler_id, f.drawing_method,
        f.horizontal_accuracy, f.vertical_accuracy, f.registered_from, f.precautions, f.indicative_depth_mm, f.level,
        f.attributes, f.voids, f.inside, f.geom IS NOT NULL AND NOT f.whole
    FROM feature AS f
    WHERE f.gml_id IN (SELECT k.gml_id FROM kept AS k);
    PERFORM ler.leave_out_references((answer).request_id, ARRAY[(answer).id]);
    RETURN QUERY
    SELECT count(*)::integer,
        count(*) FILTER (WHERE p.feature_type NOT IN (
            'Informationsressource', 'LinearDimension', 'TextAnnotation', 'LinearAnnotation'
        ))::integer,
        count(*) FILTER (WHERE p.clipped)::integer,
        (jsonb_array_length(features) - count(*))::integer,
        coalesce(sum(p.left_out_references), 0)::integer
    FROM ler.package_feature AS p
    WHERE p.request_id = (answer).request_id AND p.answer_id = (answer).id;
END
$$;


-- Enters an owner's answer to what it was asked, or, as an update, one in the place of the answer that there was, for all
-- areas for which that one spoke. `given` holds the columns of the answer, `features` what lines come with it and
-- `attachments` its files, which lie in the blob store; `manual_due_at` is until when an answer that is taken out for
-- manual handling must be followed by another. Nothing of the former answer is taken away: it is dated as replaced.
--
-- What lies outside the area is cut off and counted. An answer after its time is kept and marked.
CREATE OR REPLACE FUNCTION ler.give_answer(
    owner_request_id uuid, is_update boolean, given jsonb, features jsonb, attachments jsonb, manual_due_at timestamptz
)
RETURNS TABLE (
    answer_id uuid, revision integer, state text, late boolean, feature_count integer, clipped integer,
    outside integer, left_out_references integer
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    asked ler.owner_request := ler.lock_owner_request(owner_request_id, ler.principal());
    kind constant text := given ->> 'answer_type';
    event constant text := CASE
        WHEN kind = 'udtaget til manuel behandling' THEN 'take-out'
        WHEN starts_with(kind, 'udtaget til påvisning') THEN 'call-to-site'
        ELSE 'answer'
    END;
    request ler.excavation_request;
    former ler.owner_answer := ler.newest_answer(asked);
    answer ler.owner_answer;
    covered uuid[] := ARRAY[asked.id];
    taken record;
BEGIN
    IF former.id IS NULL AND is_update THEN
        RAISE EXCEPTION 'nothing was answered yet' USING ERRCODE = 'LE412';
    ELSIF former.id IS NOT NULL AND NOT is_update THEN
        RAISE EXCEPTION 'it was answered already' USING ERRCODE = 'LE411';
    END IF;
    SELECT r.* INTO STRICT request FROM ler.excavation_request AS r WHERE r.id = asked.request_id;
    IF former.id IS NOT NULL THEN
        SELECT array_agg(q.id) INTO covered FROM ler.covered_by(former) AS q;
        UPDATE ler.owner_answer AS a SET replaced_at = now() WHERE a.id = former.id AND a.replaced_at IS NULL;
    END IF;

    INSERT INTO ler.owner_answer (
        request_id, requester_id, owner_id, interest_area_id, revision, given_by, answer_type, valid_until,
        further_information, expected_time, appointment, header, source_sha256
    )
    VALUES (
        asked.request_id, asked.requester_id, asked.owner_id,
        CASE WHEN former.id IS NULL THEN asked.interest_area_id ELSE former.interest_area_id END,
        coalesce(former.revision, 0) + 1, 'owner', kind, (given ->> 'valid_until')::date,
        given ->> 'further_information', (given ->> 'expected_time')::timestamptz,
        nullif(given -> 'appointment', 'null'), given -> 'header', given ->> 'source_sha256'
    )
    RETURNING * INTO answer;
    SELECT * INTO STRICT taken
    FROM ler.take_features(answer, features, request);
    IF taken.lines = 0 AND kind IN (
        'ledningsoplysninger udleveret', 'udtaget til påvisning - ledningsoplysninger udleveret'
    ) THEN
        RAISE EXCEPTION 'no line lies in the dig area' USING ERRCODE = 'LE422';
    END IF;
    UPDATE ler.owner_answer AS a SET feature_count = taken.delivered WHERE a.id = answer.id;
    INSERT INTO ler.answer_attachment (
        answer_id, request_id, requester_id, owner_id, path, format, media_type, sha256, size_bytes,
        address_id
    )
    SELECT answer.id, asked.request_id, asked.requester_id, asked.owner_id, f.path, f.format, f.media_type, f.sha256,
        f.size_bytes, f.address_id
    FROM jsonb_to_recordset(attachments) AS f (
        path text, format text, media_type text, sha256 text, size_bytes bigint, address_id uuid
    );

    UPDATE ler.owner_request AS q SET
        late = q.late OR q.due_at < now() AND q.state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn'),
        state = ler.owner_state_after(q.state, event),
        answered_at = CASE WHEN event = 'take-out' THEN q.answered_at ELSE coalesce(q.answered_at, now()) END,
        due_at = CASE WHEN event = 'take-out' THEN greatest(q.due_at, manual_due_at) ELSE q.due_at END,
        appointment = answer.appointment
    WHERE q.id = ANY (covered);
    PERFORM ler.settle_request(asked.request_id);
    UPDATE ler.excavation_request AS r SET revision = r.revision + 1 WHERE r.id = asked.request_id;
    SELECT q.* INTO STRICT asked FROM ler.owner_request AS q WHERE q.id = owner_request_id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        answer.owner_id,
        CASE WHEN former.id IS NULL THEN 'owner:owner_answer:give' ELSE 'owner:owner_answer:correct' END,
        answer.id,
        jsonb_build_object(
            'request_id', answer.request_id, 'owner_request_id', owner_request_id, 'revision', answer.revision,
            'answer_type', kind, 'features', taken.delivered, 'late', asked.late
        )
    );
    RETURN QUERY
    SELECT answer.id, answer.revision, asked.state, asked.late, taken.delivered, taken.clipped, taken.outside,
        taken.left_out_references;
END
$$;


-- Takes back the answer that holds: the owner owes another, by the due time of the first.
CREATE OR REPLACE FUNCTION ler.withdraw_answer(owner_request_id uuid, reason text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asked constant ler.owner_request := ler.lock_owner_request(owner_request_id, ler.principal());
    former constant ler.owner_answer := ler.newest_answer(asked);
    covered uuid[];
BEGIN
    IF former.id IS NULL OR former.replaced_at IS NOT NULL THEN
        RAISE EXCEPTION 'there is no answer to take back' USING ERRCODE = 'LE409';
    END IF;
    SELECT array_agg(q.id) INTO covered FROM ler.covered_by(former) AS q;
    UPDATE ler.owner_answer AS a SET replaced_at = now(), withdrawn_at = now() WHERE a.id = former.id;
    UPDATE ler.owner_request AS q SET state = ler.owner_state_after(q.state, 'withdraw'), appointment = NULL
    WHERE q.id = ANY (covered);
    PERFORM ler.settle_request(asked.request_id);
    UPDATE ler.excavation_request AS r SET revision = r.revision + 1 WHERE r.id = asked.request_id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        asked.owner_id, 'owner:owner_answer:withdraw', former.id,
        jsonb_build_object('request_id', asked.request_id, 'owner_request_id', asked.id, 'reason', reason)
    );
END
$$;


-- Says when and where the lines will be pointed out.
CREATE OR REPLACE FUNCTION ler.appoint(owner_request_id uuid, appointment jsonb)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asked constant ler.owner_request := ler.lock_owner_request(owner_request_id, ler.principal());
BEGIN
    IF asked.state <> 'to-be-marked' THEN
        RAISE EXCEPTION 'nothing is to be pointed out' USING ERRCODE = 'LE409';
    END IF;
    UPDATE ler.owner_request AS q SET appointment = appoint.appointment WHERE q.id = asked.id;
    UPDATE ler.excavation_request AS r SET revision = r.revision + 1 WHERE r.id = asked.request_id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        asked.owner_id, 'owner:owner_request:appoint', asked.id,
        jsonb_build_object('request_id', asked.request_id, 'starts_at', appointment -> 'starts_at')
    );
END
$$;


-- The lines were pointed out on site.
CREATE OR REPLACE FUNCTION ler.mark(owner_request_id uuid, note text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asked constant ler.owner_request := ler.lock_owner_request(owner_request_id, ler.principal());
BEGIN
    UPDATE ler.owner_request AS q
    SET state = ler.owner_state_after(q.state, 'mark'), marked_at = now(), marking_note = mark.note
    WHERE q.id = asked.id;
    PERFORM ler.settle_request(asked.request_id);
    UPDATE ler.excavation_request AS r SET revision = r.revision + 1 WHERE r.id = asked.request_id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        asked.owner_id, 'owner:owner_request:mark', asked.id, jsonb_build_object('request_id', asked.request_id)
    );
END
$$;


-- The requester did not find a line where the data say, and asks for it to be pointed out (OLD § 11(2)).
CREATE OR REPLACE FUNCTION ler.ask_to_mark(owner_request_id uuid, reason text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asked constant ler.owner_request := ler.lock_owner_request(owner_request_id, ler.principal(), true);
BEGIN
    UPDATE ler.owner_request AS q
    SET state = ler.owner_state_after(q.state, 'ask-to-mark'), marking_asked_at = now(),
        marking_reason = ask_to_mark.reason, marked_at = NULL, marking_note = NULL, appointment = NULL
    WHERE q.id = asked.id;
    PERFORM ler.settle_request(asked.request_id);
    UPDATE ler.excavation_request AS r SET revision = r.revision + 1 WHERE r.id = asked.request_id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        asked.requester_id, 'requester:owner_request:ask_to_mark', asked.id,
        jsonb_build_object('request_id', asked.request_id, 'owner_id', asked.owner_id)
    );
END
$$;


-- What the acting owner was asked, the newest first: the request as far as an owner needs it, and whom to call. `one`
-- is a single one; `states` and (`before`, `before_id`) choose a page.
CREATE OR REPLACE FUNCTION ler.asked_of_me(
    one uuid, states text[], before timestamptz, before_id uuid, most integer
)
RETURNS TABLE (
    id uuid, request_id uuid, order_number bigint, interest_area_id uuid, registration_number bigint, state text,
    received_at timestamptz, due_at timestamptz, dispensed boolean, acknowledged_at timestamptz, answered_at timestamptz, late boolean,
    appointment jsonb, marking_asked_at timestamptz, marking_reason text, marked_at timestamptz, marking_note text,
    request_state text, kind text, already_started boolean, period_from date, period_to date, purpose text,
    description text, utility_types text[], address_ids uuid[], clip_buffer_m double precision, area @postgis@.geometry,
    requester_name text, contact_person text, contact_address text, contact_email text, contact_phone text
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT
        q.id, q.request_id, r.order_number, q.interest_area_id, i.registration_number, q.state,
        q.received_at, q.due_at, q.dispensed, q.acknowledged_at, q.answered_at, q.late,
        q.appointment, q.marking_asked_at, q.marking_reason, q.marked_at, q.marking_note,
        r.state, r.kind, r.already_started, r.period_from, r.period_to, r.purpose,
        r.description, r.utility_types, r.address_ids, r.clip_buffer_m, r.area,
        -- A private person may wish not to be named; it is reached all the same.
        CASE WHEN o.anonymous THEN 'Privatperson' ELSE o.name END, r.contact_person, r.contact_address, coalesce(r.contact_email, o.email),
        CASE WHEN r.contact_email IS NULL THEN o.phone ELSE r.contact_phone END
    FROM ler.owner_request AS q
    JOIN ler.excavation_request AS r ON r.id = q.request_id
    JOIN ler.interest_area AS i ON i.id = q.interest_area_id
    JOIN ler.organisation AS o ON o.id = q.requester_id
    WHERE q.owner_id = (SELECT ler.principal())
        AND (asked_of_me.one IS NULL OR q.id = asked_of_me.one)
        AND (asked_of_me.states IS NULL OR q.state = ANY (asked_of_me.states))
        AND (asked_of_me.before IS NULL OR (q.received_at, q.id) < (asked_of_me.before, asked_of_me.before_id))
    ORDER BY q.received_at DESC, q.id DESC
    LIMIT asked_of_me.most
$$;


-- Who answers for an area of the acting owner from now on: the platform from the published network, or the owner itself.
-- Requests that were matched before stay as they are.
CREATE OR REPLACE FUNCTION ler.choose_answering(interest_area_id uuid, answered_by text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    acting constant uuid := ler.principal();
    before text;
BEGIN
    SELECT i.answered_by INTO before
    FROM ler.interest_area AS i
    WHERE i.id = choose_answering.interest_area_id AND i.owner_id = acting AND i.ended_at IS NULL
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such interest area' USING ERRCODE = 'LE404';
    END IF;
    IF before = choose_answering.answered_by THEN
        RETURN;
    END IF;
    UPDATE ler.interest_area AS i SET answered_by = choose_answering.answered_by
    WHERE i.id = choose_answering.interest_area_id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        acting, 'owner:interest_area:choose_answering', choose_answering.interest_area_id,
        jsonb_build_object('before', before, 'after', choose_answering.answered_by)
    );
END
$$;


-- Keeps the hash of a link's secret by which one owner request can be answered without an account. For the owner itself,
-- or for the worker that sends the link and works for that request.
CREATE OR REPLACE FUNCTION ler.keep_answer_link(owner_request_id uuid, secret_sha256 text, expires_at timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asked ler.owner_request;
BEGIN
    SELECT q.* INTO asked
    FROM ler.owner_request AS q
    WHERE q.id = keep_answer_link.owner_request_id
        AND (q.owner_id = ler.principal() OR q.request_id = ler.request_scope());
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such owner request' USING ERRCODE = 'LE404';
    END IF;
    INSERT INTO ler.answer_link (owner_request_id, owner_id, secret_sha256, expires_at)
    VALUES (asked.id, asked.owner_id, keep_answer_link.secret_sha256, keep_answer_link.expires_at);
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        ler.principal(), 'ler:answer_link:add', asked.id, jsonb_build_object('expires_at', keep_answer_link.expires_at)
    );
END
$$;


-- What a link leads to, by the hash of its secret; nothing when there is none or it has expired. Nobody needs to act:
-- whoever holds the secret acts for the owner in this one matter.
CREATE OR REPLACE FUNCTION ler.find_answer_link(secret_sha256 text)
RETURNS TABLE (owner_request_id uuid, owner_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT l.owner_request_id, l.owner_id
    FROM ler.answer_link AS l
    WHERE l.secret_sha256 = find_answer_link.secret_sha256 AND l.expires_at > now()
$$;
