-- What is told to whom. Triggers write it, in the transaction of the act that is told, so that nothing happens untold and
-- nothing is told that did not happen. They call nobody and wait for nobody but whoever holds the request's row, which
-- every act about a request locks first.

-- Tells an organisation of something: a notice, and through its trigger a row of the outbox for each place where the
-- organisation wants to be told. A notice about a request takes the request's next number, and with it its row's lock.
-- The names of organisations with a CVR number go with it; of others, who may be persons, only the id.
CREATE OR REPLACE FUNCTION ler.tell(audience uuid, what text, about uuid, about_owner uuid, data jsonb)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    next_number integer;
    known jsonb := '{}';
BEGIN
    IF about IS NOT NULL THEN
        UPDATE ler.excavation_request AS r SET last_event = r.last_event + 1
        WHERE r.id = about
        RETURNING r.last_event, jsonb_build_object('order_number', r.order_number) INTO next_number, known;
        IF NOT FOUND THEN
            RETURN; -- erased
        END IF;
    END IF;
    IF about_owner IS NOT NULL THEN
        known := known || jsonb_build_object(
            'owner_name', (SELECT o.name FROM ler.organisation AS o WHERE o.id = about_owner AND o.cvr IS NOT NULL)
        );
    END IF;
    INSERT INTO ler.notice (number, audience_id, kind, request_id, owner_id, data)
    VALUES (next_number, audience, what, about, about_owner, jsonb_strip_nulls(known || data));
END
$$;


-- Gives the caller's new notices their places in its feed and returns the last place. A place is given after the notice
-- was committed, under a lock of the audience, so that no later one has a smaller place: who has seen all up to a place
-- has missed nothing, which the time of a notice could not promise.
--
--   LE401  nobody acts
CREATE OR REPLACE FUNCTION ler.place_notices()
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    acting constant uuid := ler.principal();
    last bigint;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    IF EXISTS (SELECT FROM ler.notice AS n WHERE n.audience_id = acting AND n.position IS NULL) THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(acting::text, 4));
        SELECT max(n.position) INTO last FROM ler.notice AS n WHERE n.audience_id = acting;
        UPDATE ler.notice AS n SET position = coalesce(last, 0) + fresh.place
        FROM (
            SELECT f.id, row_number() OVER (ORDER BY f.at, f.request_id, f.number, f.id) AS place
            FROM ler.notice AS f
            WHERE f.audience_id = acting AND f.position IS NULL
        ) AS fresh
        WHERE n.id = fresh.id AND n.position IS NULL;
    END IF;
    SELECT max(n.position) INTO last FROM ler.notice AS n WHERE n.audience_id = acting;
    RETURN coalesce(last, 0);
END
$$;


-- Requests: matched, cancelled, ended, complete, extended. Owners are told of what concerns their duty.
CREATE OR REPLACE FUNCTION ler.on_request_change()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    facts constant jsonb := jsonb_build_object(
        'kind', NEW.kind, 'period_from', NEW.period_from, 'period_to', NEW.period_to, 'order_reference', NEW.order_reference
    );
    event constant text := CASE
        WHEN OLD.matched_at IS NULL AND NEW.matched_at IS NOT NULL THEN 'created'
        WHEN NEW.matched_at IS NOT NULL AND OLD.state = NEW.state AND OLD.period_to <> NEW.period_to THEN 'extended'
        WHEN NEW.state = 'complete' THEN 'completed'
        WHEN NEW.state IN ('cancelled', 'ended') THEN NEW.state
    END;
BEGIN
    IF event IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM ler.tell(NEW.requester_id, 'request.' || event, NEW.id, NULL, facts || '{"quiet": true}');
    IF event IN ('cancelled', 'extended') THEN
        -- The owner itself, once, however many of its areas were asked.
        PERFORM ler.tell(q.owner_id, 'request.' || event, NEW.id, q.owner_id, facts)
        FROM (
            SELECT DISTINCT o.owner_id
            FROM ler.owner_request AS o
            WHERE o.request_id = NEW.id AND o.owner_id <> NEW.requester_id AND o.state NOT IN ('cancelled', 'ended')
            ORDER BY o.owner_id
        ) AS q;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER telling
AFTER UPDATE OF matched_at, state, period_to ON ler.excavation_request
FOR EACH ROW
WHEN (
    (OLD.matched_at IS NULL AND NEW.matched_at IS NOT NULL)
    OR OLD.state <> NEW.state
    OR OLD.period_to <> NEW.period_to
)
EXECUTE FUNCTION ler.on_request_change();


-- Told at the end of the transaction, when it is known whether the platform has answered for the owner.
CREATE OR REPLACE FUNCTION ler.on_owner_asked()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    asked ler.owner_request;
BEGIN
    SELECT * INTO asked FROM ler.owner_request AS q WHERE q.id = NEW.id;
    IF NOT FOUND OR asked.state IN ('cancelled', 'ended') THEN
        RETURN NULL;
    END IF;
    PERFORM ler.tell(asked.owner_id, 'owner.asked', asked.request_id, asked.owner_id, (
        SELECT jsonb_build_object(
            'owner_request_id', asked.id,
            'due_at', asked.due_at,
            'kind', r.kind,
            'already_started', r.already_started,
            'period_from', r.period_from,
            'period_to', r.period_to,
            'registration_number', i.registration_number,
            'utility_types', i.utility_types,
            -- Nothing is left to do: no mail.
            'quiet', asked.state NOT IN ('acknowledged', 'asked', 'taken-out', 'withdrawn')
        )
        FROM ler.excavation_request AS r, ler.interest_area AS i
        WHERE r.id = asked.request_id AND i.id = asked.interest_area_id
    ));
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER telling_of_asking
AFTER INSERT ON ler.owner_request
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ler.on_owner_asked();


-- Owner requests on their way. Answers are told by themselves, below.
CREATE OR REPLACE FUNCTION ler.on_owner_change()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    facts constant jsonb := jsonb_build_object('owner_request_id', NEW.id, 'due_at', NEW.due_at);
BEGIN
    IF NEW.late AND NOT OLD.late THEN
        PERFORM ler.tell(NEW.requester_id, 'owner.late', NEW.request_id, NEW.owner_id, facts);
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NULL;
    ELSIF NEW.state = 'acknowledged' THEN
        PERFORM ler.tell(NEW.requester_id, 'owner.acknowledged', NEW.request_id, NEW.owner_id, facts);
    ELSIF NEW.state = 'marked' THEN
        PERFORM ler.tell(NEW.requester_id, 'owner.marked', NEW.request_id, NEW.owner_id, facts);
    ELSIF NEW.state = 'to-be-marked' AND ler.principal() = NEW.requester_id THEN
        PERFORM ler.tell(NEW.owner_id, 'owner.marking_asked', NEW.request_id, NEW.owner_id, facts);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER telling
AFTER UPDATE OF state, late ON ler.owner_request
FOR EACH ROW
WHEN (OLD.state <> NEW.state OR OLD.late <> NEW.late)
EXECUTE FUNCTION ler.on_owner_change();


-- Answers: the first, another in its place, and one that is taken back. Who holds a package with the answer before is
-- the request's requester, and is told by mail of what is not as it was; a first answer comes with the package.
CREATE OR REPLACE FUNCTION ler.on_answer()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    facts constant jsonb := jsonb_build_object(
        'answer_type', NEW.answer_type, 'revision', NEW.revision, 'given_by', NEW.given_by,
        'expected_time', NEW.expected_time, 'valid_until', NEW.valid_until
    );
    corrected constant boolean := EXISTS (
        SELECT FROM ler.owner_answer AS a
        WHERE a.request_id = NEW.request_id AND a.owner_id = NEW.owner_id AND a.id <> NEW.id
            AND a.interest_area_id IS NOT DISTINCT FROM NEW.interest_area_id
            AND a.revision < NEW.revision AND a.withdrawn_at IS NULL
            AND a.answer_type <> 'udtaget til manuel behandling'
    );
    event constant text := CASE
        WHEN TG_OP = 'UPDATE' THEN 'owner.withdrawn'
        WHEN corrected THEN 'owner.corrected'
        ELSE 'owner.answered'
    END;
BEGIN
    PERFORM ler.tell(NEW.requester_id, event, NEW.request_id, NEW.owner_id, facts);
    RETURN NULL;
END
$$;

CREATE TRIGGER telling_of_answers
AFTER INSERT ON ler.owner_answer
FOR EACH ROW EXECUTE FUNCTION ler.on_answer();

CREATE TRIGGER telling_of_withdrawals
AFTER UPDATE OF withdrawn_at ON ler.owner_answer
FOR EACH ROW
WHEN (OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL)
EXECUTE FUNCTION ler.on_answer();


-- Packages: the one of all owners, once for each revision of the request, which its key allows once.
CREATE OR REPLACE FUNCTION ler.on_package()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM ler.tell(r.requester_id, 'package.ready', NEW.request_id, NULL, jsonb_build_object(
        'package_id', NEW.id,
        'revision', NEW.revision,
        'sha256', NEW.sha256,
        'size_bytes', NEW.size_bytes,
        'owners_missing', (
            SELECT count(DISTINCT q.owner_id)
            FROM ler.owner_request AS q
            WHERE q.request_id = NEW.request_id
                AND q.state IN ('acknowledged', 'asked', 'taken-out', 'withdrawn')
        ),
        'owners_to_mark', (
            SELECT count(DISTINCT q.owner_id)
            FROM ler.owner_request AS q
            WHERE q.request_id = NEW.request_id AND q.state = 'to-be-marked'
        ),
        'order_reference', r.order_reference
    ))
    FROM ler.excavation_request AS r
    WHERE r.id = NEW.request_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER telling
AFTER INSERT ON ler.package
FOR EACH ROW
WHEN (NEW.owner_id IS NULL)
EXECUTE FUNCTION ler.on_package();


-- Uploads that have come to something their owner must know.
CREATE OR REPLACE FUNCTION ler.on_upload()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM ler.tell(NEW.owner_id, 'upload.' || NEW.state, NULL, NEW.owner_id, jsonb_build_object('upload_id', NEW.id));
    IF NEW.state = 'failed' AND NEW.owner_id <> ler.platform_operator() THEN
        -- It failed on our side, whatever the file is.
        PERFORM ler.tell(
            ler.platform_operator(), 'upload.failed', NULL, NEW.owner_id, jsonb_build_object('upload_id', NEW.id)
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER telling
AFTER UPDATE OF state ON ler.upload
FOR EACH ROW
WHEN (
    OLD.state <> NEW.state
    AND NEW.state IN ('rejected', 'unchanged', 'needs_approval', 'published', 'expired', 'failed')
)
EXECUTE FUNCTION ler.on_upload();
