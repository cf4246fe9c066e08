-- Who owes an answer, and what to tell when time runs out. When that is follows from working days and opening hours, which
-- ler.domain.deadlines computes; here stands when to look next. Nothing is kept in a worker's memory: one that comes back
-- after hours finds everything due, and tells what is true then.

-- An owner request is watched as long as its answer is owed, and looked at anew when its due time moves.
CREATE OR REPLACE FUNCTION ler.on_duty_change()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    IF NEW.due_at IS NOT NULL AND NEW.state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn') THEN
        INSERT INTO ler.answer_watch (owner_request_id, request_id, next_at)
        VALUES (NEW.id, NEW.request_id, now())
        ON CONFLICT (owner_request_id) DO UPDATE SET next_at = now(), silence = 0;
    ELSIF TG_OP = 'UPDATE' THEN
        DELETE FROM ler.answer_watch AS w WHERE w.owner_request_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER watching_new
AFTER INSERT ON ler.owner_request
FOR EACH ROW EXECUTE FUNCTION ler.on_duty_change();

CREATE TRIGGER watching
AFTER UPDATE OF state, due_at ON ler.owner_request
FOR EACH ROW
WHEN (
    OLD.due_at IS DISTINCT FROM NEW.due_at
    OR (OLD.state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn'))
        <> (NEW.state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn'))
)
EXECUTE FUNCTION ler.on_duty_change();

-- With another due time the owner is reminded anew.
CREATE OR REPLACE FUNCTION ler.begin_reminding_anew()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.reminded_percent := 0;
    RETURN NEW;
END
$$;

CREATE TRIGGER reminding_anew
BEFORE UPDATE OF due_at ON ler.owner_request
FOR EACH ROW
WHEN (OLD.due_at IS DISTINCT FROM NEW.due_at)
EXECUTE FUNCTION ler.begin_reminding_anew();


-- Up to `most` owner requests whose time to look at has come, with the database's time.
CREATE OR REPLACE FUNCTION ler.watched_owners(most integer)
RETURNS TABLE (
    owner_request_id uuid, received_at timestamptz, due_at timestamptz, reminded_percent integer, silence integer,
    now_at timestamptz
)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT q.id, q.received_at, q.due_at, q.reminded_percent, w.silence, now()
    FROM ler.answer_watch AS w
    JOIN ler.owner_request AS q ON q.id = w.owner_request_id
    WHERE w.next_at <= now()
    ORDER BY w.next_at
    LIMIT most
$$;


-- Tells what is owed of one owner that has not answered: reminds it at `percent`, and tells of its silence, 1 to its second
-- contact, 2 to the operator too. Nothing is told twice, and nothing when it has answered meanwhile. `next_at` is when to
-- look again, NULL for never. Returns whether it was looked at: not when somebody is at the request just now.
CREATE OR REPLACE FUNCTION ler.remind_owner(owner_request uuid, percent integer, silence integer, next_at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asked ler.owner_request;
    watch ler.answer_watch;
    facts jsonb;
BEGIN
    PERFORM FROM ler.excavation_request AS r
    WHERE r.id = (SELECT w.request_id FROM ler.answer_watch AS w WHERE w.owner_request_id = remind_owner.owner_request)
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT * INTO asked FROM ler.owner_request AS q WHERE q.id = remind_owner.owner_request FOR UPDATE;
    SELECT * INTO watch FROM ler.answer_watch AS w WHERE w.owner_request_id = asked.id FOR UPDATE;
    IF watch.owner_request_id IS NULL OR asked.state NOT IN ('acknowledged', 'asked', 'taken-out', 'withdrawn') THEN
        DELETE FROM ler.answer_watch AS w WHERE w.owner_request_id = asked.id;
        RETURN true;
    END IF;
    facts := jsonb_build_object('owner_request_id', asked.id, 'due_at', asked.due_at, 'acknowledged', asked.acknowledged_at IS NOT NULL);
    IF percent > asked.reminded_percent THEN
        UPDATE ler.owner_request AS q SET reminded_percent = percent WHERE q.id = asked.id;
        PERFORM ler.tell(
            asked.owner_id, 'owner.reminder', asked.request_id, asked.owner_id,
            facts || jsonb_build_object('percent', percent)
        );
    END IF;
    IF silence >= 1 AND watch.silence < 1 THEN
        PERFORM ler.tell(
            asked.owner_id, 'owner.silent', asked.request_id, asked.owner_id, facts || '{"escalation": "management"}'
        );
    END IF;
    IF silence >= 2 AND watch.silence < 2 THEN
        PERFORM ler.tell(
            ler.platform_operator(), 'owner.silent', asked.request_id, asked.owner_id,
            facts || '{"escalation": "operator"}'
        );
    END IF;
    UPDATE ler.answer_watch AS w
    SET next_at = coalesce(remind_owner.next_at, 'infinity'), silence = greatest(watch.silence, remind_owner.silence)
    WHERE w.owner_request_id = asked.id;
    RETURN true;
END
$$;
