-- Digging windows: invitations, answers, and what follows from them. The rules are those of ler/domain/windows.py; every
-- act locks the window first.

-- Whether the acting organisation may propose, invite and withdraw at a place: the operator, and its road authority.
CREATE OR REPLACE FUNCTION ler.may_coordinate(place @postgis@.geometry)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT coalesce(
        ler.principal() = ler.platform_operator()
        OR 'authority' = ANY (ler.granted_roles(ler.principal(), may_coordinate.place)),
        false
    )
$$;


-- Tells every organisation of a window, once.
CREATE OR REPLACE FUNCTION ler.tell_of_window(what text, wanted uuid)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM ler.tell(told.organisation_id, what, NULL, NULL, jsonb_build_object(
        'window_id', w.id, 'state', w.state, 'start_on', w.start_on, 'end_on', w.end_on,
        'works', told.works, 'answer_by', w.answer_by
    ) || CASE
        WHEN what = 'window.invited' THEN jsonb_build_object('duct_offers', told.duct_offers) ELSE '{}'
    END)
    FROM ler.digging_window AS w
    CROSS JOIN LATERAL (
        -- Each is told what is offered near its own works, and nobody what is offered near another's.
        SELECT m.organisation_id, count(*) AS works, sum(offered.ducts) AS duct_offers
        FROM ler.window_work AS m
        JOIN ler.planned_work AS p ON p.id = m.work_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS ducts FROM ler.ducts_near(p) AS n
            WHERE n.kind <> 'work-wants' AND what = 'window.invited'
        ) AS offered
        WHERE m.window_id = w.id
        GROUP BY m.organisation_id
        ORDER BY m.organisation_id
    ) AS told
    WHERE w.id = wanted;
END
$$;


-- Works out where an invited window stands by its answers, and tells all when that settles it.
CREATE OR REPLACE FUNCTION ler.settle_window(wanted uuid)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
    found text;
BEGIN
    UPDATE ler.digging_window AS w
    SET state = CASE
            WHEN said.pilot = 'declined' THEN 'declined'
            WHEN said.open > 0 THEN 'invited'
            WHEN said.pilot = 'accepted' AND said.accepted >= 2 THEN 'agreed'
            WHEN said.silent > 0 THEN 'expired'
            ELSE 'declined'
        END,
        version = w.version + 1, changed_at = now()
    FROM (
        SELECT
            max(m.answer) FILTER (WHERE m.work_id = p.pilot_work_id) AS pilot,
            count(*) FILTER (WHERE m.answer = 'open') AS open,
            count(*) FILTER (WHERE m.answer = 'accepted') AS accepted,
            count(*) FILTER (WHERE m.answer = 'silent') AS silent
        FROM ler.window_work AS m
        JOIN ler.digging_window AS p ON p.id = m.window_id
        WHERE m.window_id = wanted
    ) AS said
    WHERE w.id = wanted
    RETURNING w.state INTO found;
    IF found <> 'invited' THEN
        PERFORM ler.tell_of_window('window.settled', wanted);
    END IF;
    RETURN found;
END
$$;


-- Invites the organisations of a proposed window until a moment.
--
--   LE404  no such window     LE403  another's place     LE409  not proposed any more     LE422  the moment has passed
CREATE OR REPLACE FUNCTION ler.invite_window(wanted uuid, until timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    w ler.digging_window;
BEGIN
    SELECT * INTO w FROM ler.digging_window AS d WHERE d.id = wanted FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such window' USING ERRCODE = 'LE404';
    ELSIF NOT ler.may_coordinate(w.geom) THEN
        RAISE EXCEPTION 'not its coordinator' USING ERRCODE = 'LE403';
    ELSIF w.state <> 'proposed' THEN
        RAISE EXCEPTION 'not proposed' USING ERRCODE = 'LE409';
    ELSIF until <= now() THEN
        RAISE EXCEPTION 'in the past' USING ERRCODE = 'LE422';
    END IF;
    UPDATE ler.digging_window AS d
    SET state = 'invited', answer_by = until, version = d.version + 1, changed_at = now()
    WHERE d.id = wanted;
    PERFORM ler.tell_of_window('window.invited', wanted);
END
$$;


-- Answers an invitation for the works of the acting organisation, or one of them. Until the window is settled an answer
-- can be changed.
--
--   LE404  none of its works there     LE409  not invited, or too late
CREATE OR REPLACE FUNCTION ler.answer_window(wanted uuid, work uuid, accepts boolean)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    w ler.digging_window;
BEGIN
    SELECT * INTO w FROM ler.digging_window AS d WHERE d.id = wanted FOR UPDATE;
    IF NOT EXISTS (
        SELECT FROM ler.window_work AS m
        WHERE m.window_id = wanted AND m.organisation_id = ler.principal() AND (work IS NULL OR m.work_id = work)
    ) THEN
        RAISE EXCEPTION 'none of its works' USING ERRCODE = 'LE404';
    ELSIF w.state <> 'invited' OR w.answer_by <= now() THEN
        RAISE EXCEPTION 'not invited' USING ERRCODE = 'LE409';
    END IF;
    UPDATE ler.window_work AS m
    SET answer = CASE WHEN accepts THEN 'accepted' ELSE 'declined' END, answered_at = now()
    WHERE m.window_id = wanted AND m.organisation_id = ler.principal() AND (work IS NULL OR m.work_id = work);
    RETURN ler.settle_window(wanted);
END
$$;


-- Ends invitations whose time has run out: who said nothing does not join. Returns how many; others' locks are passed over.
CREATE OR REPLACE FUNCTION ler.expire_windows()
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    one uuid;
    ended integer := 0;
BEGIN
    FOR one IN
        SELECT d.id FROM ler.digging_window AS d
        WHERE d.state = 'invited' AND d.answer_by <= now()
        ORDER BY d.answer_by, d.id
        FOR UPDATE SKIP LOCKED
    LOOP
        UPDATE ler.window_work AS m SET answer = 'silent' WHERE m.window_id = one AND m.answer = 'open';
        PERFORM ler.settle_window(one);
        ended := ended + 1;
    END LOOP;
    RETURN ended;
END
$$;


-- Takes windows back that are proposed and have a work of these; returns how many. Where somebody is invited it stands until
-- it is settled.
CREATE OR REPLACE FUNCTION ler.withdraw_windows(works uuid[])
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    taken integer;
BEGIN
    UPDATE ler.digging_window AS d
    SET state = 'withdrawn', version = d.version + 1, changed_at = now()
    WHERE d.state = 'proposed' AND ler.may_coordinate(d.geom)
        AND EXISTS (SELECT FROM ler.window_work AS m WHERE m.window_id = d.id AND m.work_id = ANY (works));
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN taken;
END
$$;
