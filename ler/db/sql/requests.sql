-- What happens to a request after it was matched. Each step is one that the machines of ler.domain.states know.
-- Whoever changes a request or what belongs to it locks the request's row first, then those of its owners, then answers:
-- in another order two of them would wait for each other.

-- Puts a request that is under way into the state that follows from those of its owners, as
-- ler.domain.states.progress_event has it. Called by the functions that move owners, whose rights it runs with.
CREATE OR REPLACE FUNCTION ler.settle_request(wanted uuid)
RETURNS void
LANGUAGE sql VOLATILE
AS $$
    UPDATE ler.excavation_request AS r SET state = follows.state
    FROM (
        SELECT CASE
            WHEN bool_or(q.state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn')) THEN 'open'
            WHEN bool_or(q.state = 'to-be-marked') THEN 'answered'
            ELSE 'complete'
        END AS state
        FROM ler.owner_request AS q
        WHERE q.request_id = wanted
    ) AS follows
    WHERE r.id = wanted AND r.state IN ('open', 'answered', 'complete') AND r.state <> follows.state
$$;


-- Gives up one's own request: its owners need not answer any more. What they have answered stays the requester's.
--
--   LE401  nobody acts     LE404  no such request, or not yours     LE409  cancelled or ended already
CREATE OR REPLACE FUNCTION ler.cancel_request(request_id uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    acting constant uuid := ler.principal();
    wanted constant uuid := cancel_request.request_id;
    before text;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    SELECT r.state INTO before
    FROM ler.excavation_request AS r
    WHERE r.id = wanted AND r.requester_id = acting
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such request' USING ERRCODE = 'LE404';
    END IF;
    IF before NOT IN ('open', 'answered', 'complete') THEN
        RAISE EXCEPTION 'the request is %', before USING ERRCODE = 'LE409';
    END IF;
    UPDATE ler.excavation_request AS r SET state = 'cancelled', revision = r.revision + 1 WHERE r.id = wanted;
    UPDATE ler.owner_request AS q SET state = 'cancelled'
    WHERE q.request_id = wanted AND q.state NOT IN ('cancelled', 'ended');
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (acting, 'requester:excavation_request:cancel', wanted, jsonb_build_object('state', before));
END
$$;


-- Marks the owners late whose due time has passed and who still owe an answer, each once, with an event in the audit
-- trail; returns their number. The package then says something else: the request's revision moves. By the database's
-- clock, so that it matters neither who calls nor how often. A request that somebody holds just now is left for later.
CREATE OR REPLACE FUNCTION ler.mark_late()
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    wanted uuid;
    marked bigint := 0;
    more bigint;
BEGIN
    FOR wanted IN
        SELECT DISTINCT q.request_id
        FROM ler.owner_request AS q
        WHERE NOT q.late AND q.due_at < now() AND q.state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn')
        ORDER BY q.request_id
        LIMIT 500
    LOOP
        PERFORM FROM ler.excavation_request AS r WHERE r.id = wanted FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        WITH late AS (
            UPDATE ler.owner_request AS q SET late = true
            WHERE q.request_id = wanted AND NOT q.late AND q.due_at < now()
                AND q.state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn')
            RETURNING q.id, q.request_id, q.owner_id, q.due_at
        )
        INSERT INTO ler.audit_event (actor, action, object_id, details)
        SELECT NULL, 'ler:owner_request:late', l.id,
            jsonb_build_object('request_id', l.request_id, 'owner_id', l.owner_id, 'due_at', l.due_at)
        FROM late AS l;
        GET DIAGNOSTICS more = ROW_COUNT;
        IF more > 0 THEN
            UPDATE ler.excavation_request AS r SET revision = r.revision + 1 WHERE r.id = wanted;
            marked := marked + more;
        END IF;
    END LOOP;
    RETURN marked;
END
$$;
