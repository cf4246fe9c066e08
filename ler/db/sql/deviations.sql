-- Deviations: what who digs reports of lines, as the machine of ler.domain.deviations leads. And what may be told to
-- everybody of damages.

-- Whether the acting organisation supervises a place: the operator and auditors everywhere, an authority in its area.
CREATE OR REPLACE FUNCTION ler.supervises(place @postgis@.geometry)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT coalesce(
        ler.principal() = ler.platform_operator() OR ler.has_role('auditor')
        OR 'authority' = ANY (ler.granted_roles(ler.principal(), supervises.place)),
        false
    )
$$;


-- Takes a report in: it must be about what its reporter was shown and near where it asked, or about its own line. Of an
-- owner, line or request that it was not shown it is told nothing, not even that there is one.
--
--   LE404  no such request, owner or line     LE422  far from the request's area
CREATE OR REPLACE FUNCTION ler.take_deviation()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    shown geometry[];
BEGIN
    IF NEW.request_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM ler.excavation_request AS r WHERE r.id = NEW.request_id AND r.requester_id = NEW.reporter_id
    ) THEN
        RAISE EXCEPTION 'no such request' USING ERRCODE = 'LE404';
    END IF;
    IF NEW.request_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM ler.excavation_request AS r WHERE r.id = NEW.request_id AND ST_DWithin(r.area, NEW.geom, 100)
    ) THEN
        RAISE EXCEPTION 'too far away' USING ERRCODE = 'LE422';
    END IF;
    IF NEW.kind = 'unknown' THEN
        NEW.state := CASE
            WHEN EXISTS (SELECT FROM ler.find_owners(NEW.geom) AS o WHERE o.owner_id <> NEW.reporter_id) THEN 'offered'
            ELSE 'orphan'
        END;
        RETURN NEW;
    END IF;
    IF NEW.owner_id = NEW.reporter_id THEN
        SELECT array_agg(f.geom) INTO shown
        FROM ler.network_dataset AS d
        JOIN ler.network_version AS v ON v.id = d.current_version_id
        JOIN ler.network_feature AS f ON f.dataset_id = d.id AND f.gml_id = NEW.gml_id
        WHERE d.owner_id = NEW.owner_id AND ler.is_valid_in(v.number, f.added_in, f.removed_in);
    ELSIF NEW.gml_id IS NULL THEN
        SELECT array_agg(NULL::geometry) INTO shown
        FROM ler.owner_request AS q
        WHERE q.request_id = NEW.request_id AND q.owner_id = NEW.owner_id;
    ELSE
        SELECT array_agg(p.geom) INTO shown
        FROM ler.owner_answer AS a
        JOIN ler.package_feature AS p ON p.answer_id = a.id AND p.request_id = a.request_id
        WHERE a.request_id = NEW.request_id AND a.owner_id = NEW.owner_id AND a.replaced_at IS NULL
            AND p.gml_id = NEW.gml_id;
    END IF;
    IF shown IS NULL THEN
        RAISE EXCEPTION 'no such owner or line' USING ERRCODE = 'LE404';
    END IF;
    IF NEW.kind <> 'missing' THEN
        NEW.offset_m := (
            SELECT max(ST_Distance(p.geom, ST_Collect(shown))) FROM ST_DumpPoints(NEW.geom) AS p
        );
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER take_deviation
BEFORE INSERT ON ler.deviation
FOR EACH ROW EXECUTE FUNCTION ler.take_deviation();


-- Asks all who have an interest in the place whether the line is theirs.
CREATE OR REPLACE FUNCTION ler.offer_line()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    INSERT INTO ler.line_claim (deviation_id, owner_id, reporter_id)
    SELECT DISTINCT NEW.id, o.owner_id, NEW.reporter_id
    FROM ler.find_owners(NEW.geom) AS o
    WHERE o.owner_id <> NEW.reporter_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER offer_line
AFTER INSERT ON ler.deviation
FOR EACH ROW WHEN (NEW.kind = 'unknown') EXECUTE FUNCTION ler.offer_line();


-- Moves a report: its owner, or, to withdraw it, its reporter. A correction names the published version that has it.
--
--   LE404  no such report, or not yours to move     LE409  not possible in its state
--   LE422  the version is not published or has nothing new of the line
CREATE OR REPLACE FUNCTION ler.move_deviation(deviation_id uuid, event text, note text, version integer)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    acting constant uuid := ler.principal();
    it ler.deviation;
    settled text;
BEGIN
    SELECT d.* INTO it FROM ler.deviation AS d WHERE d.id = move_deviation.deviation_id FOR UPDATE;
    IF NOT FOUND OR acting IS DISTINCT FROM (CASE event WHEN 'withdraw' THEN it.reporter_id ELSE it.owner_id END) THEN
        RAISE EXCEPTION 'no such report' USING ERRCODE = 'LE404';
    END IF;
    settled := CASE
        WHEN event = 'acknowledge' AND it.state = 'reported' THEN 'acknowledged'
        WHEN event = 'accept' AND it.state IN ('reported', 'acknowledged', 'rejected') THEN 'accepted'
        WHEN event = 'reject' AND it.state IN ('reported', 'acknowledged', 'accepted') THEN 'rejected'
        WHEN event = 'correct' AND it.state = 'accepted' THEN 'corrected'
        WHEN event = 'withdraw' AND it.state IN ('offered', 'orphan', 'reported', 'acknowledged') THEN 'withdrawn'
    END;
    IF settled IS NULL THEN
        RAISE EXCEPTION 'the report is %', it.state USING ERRCODE = 'LE409';
    END IF;
    IF settled = 'corrected' AND NOT EXISTS (
        SELECT FROM ler.network_version AS v
        WHERE v.owner_id = acting AND v.number = move_deviation.version AND v.state IN ('published', 'superseded')
            AND v.published_at > it.created_at
            AND (it.gml_id IS NULL OR EXISTS (
                SELECT FROM ler.network_feature AS f
                WHERE f.dataset_id = v.dataset_id AND f.gml_id = it.gml_id
                    AND move_deviation.version IN (f.added_in, f.removed_in)
            ))
    ) THEN
        RAISE EXCEPTION 'nothing new of the line' USING ERRCODE = 'LE422';
    END IF;
    UPDATE ler.deviation AS d
    SET state = settled, changed_at = now(), note = coalesce(move_deviation.note, d.note),
        corrected_in = CASE settled WHEN 'corrected' THEN move_deviation.version END
    WHERE d.id = it.id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        acting,
        CASE event WHEN 'withdraw' THEN 'requester:deviation:' ELSE 'owner:deviation:' END || event,
        it.id, jsonb_build_object('from', it.state, 'to', settled)
    );
    RETURN settled;
END
$$;


-- Says whether an unknown line is the caller's, who was asked; the first that claims it owns the report. Who has denied
-- may come to another view as long as nobody has claimed it.
--
--   LE404  no such line, or not asked     LE409  claimed or withdrawn already
CREATE OR REPLACE FUNCTION ler.answer_claim(deviation_id uuid, claims boolean)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    acting constant uuid := ler.principal();
    it ler.deviation;
    settled text;
BEGIN
    SELECT d.* INTO it FROM ler.deviation AS d WHERE d.id = answer_claim.deviation_id FOR UPDATE;
    IF NOT FOUND OR NOT EXISTS (
        SELECT FROM ler.line_claim AS c WHERE c.deviation_id = it.id AND c.owner_id = acting
    ) THEN
        RAISE EXCEPTION 'no such line' USING ERRCODE = 'LE404';
    END IF;
    IF it.state NOT IN ('offered', 'orphan') THEN
        RAISE EXCEPTION 'the report is %', it.state USING ERRCODE = 'LE409';
    END IF;
    UPDATE ler.line_claim AS c
    SET state = CASE WHEN claims THEN 'claimed' ELSE 'denied' END, answered_at = now()
    WHERE c.deviation_id = it.id AND c.owner_id = acting;
    settled := CASE
        WHEN claims THEN 'accepted'
        WHEN EXISTS (SELECT FROM ler.line_claim AS c WHERE c.deviation_id = it.id AND c.state = 'asked') THEN 'offered'
        ELSE 'orphan'
    END;
    UPDATE ler.deviation AS d
    SET state = settled, changed_at = now(), owner_id = CASE WHEN claims THEN acting END
    WHERE d.id = it.id;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        acting, CASE WHEN claims THEN 'owner:line:claim' ELSE 'owner:line:deny' END, it.id,
        jsonb_build_object('from', it.state, 'to', settled)
    );
    RETURN settled;
END
$$;


-- What everybody may know of damages: counts by year, utility type and cause; neither places nor whose. Kinds of lines
-- that are not the law's count as `other`.
CREATE OR REPLACE FUNCTION ler.damage_statistics(first_year integer, last_year integer)
RETURNS TABLE (year integer, utility_type text, cause text, damages bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT extract(year FROM d.happened_on)::integer,
        CASE WHEN d.utility_type LIKE 'other:%' THEN 'other' ELSE d.utility_type END, d.cause, count(*)
    FROM ler.damage AS d
    WHERE d.withdrawn_at IS NULL
        AND d.happened_on >= make_date(first_year, 1, 1) AND d.happened_on < make_date(last_year + 1, 1, 1)
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
$$;


-- How many owners have reported of a year: damages, that there were none, or nothing yet.
CREATE OR REPLACE FUNCTION ler.damage_reporting(first_year integer, last_year integer)
RETURNS TABLE (year integer, with_damages bigint, without_damages bigint, silent bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT years.number,
        count(*) FILTER (WHERE said.damages), count(*) FILTER (WHERE NOT said.damages AND said.free),
        count(*) FILTER (WHERE NOT said.damages AND NOT said.free)
    FROM generate_series(first_year, last_year) AS years (number)
    CROSS JOIN (SELECT DISTINCT g.organisation_id AS id FROM ler.grant AS g WHERE g.role = 'owner') AS owner
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM ler.damage AS d
            WHERE d.owner_id = owner.id AND d.withdrawn_at IS NULL
                AND d.happened_on >= make_date(years.number, 1, 1) AND d.happened_on < make_date(years.number + 1, 1, 1)
        ), EXISTS (
            SELECT FROM ler.damage_free_year AS f
            WHERE f.owner_id = owner.id AND f.year = years.number AND f.withdrawn_at IS NULL
        )
    ) AS said (damages, free)
    GROUP BY years.number
    ORDER BY years.number
$$;


-- Tells who is concerned: the owner of a report about its line, those who are asked whether a line is theirs, and the
-- reporter of what became of it. Ids and kinds; where it is must be fetched.
CREATE OR REPLACE FUNCTION ler.tell_of_deviation()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.owner_id <> NEW.reporter_id THEN
        PERFORM ler.tell(
            NEW.owner_id, 'deviation.reported', NULL, NEW.owner_id,
            jsonb_build_object('deviation_id', NEW.id, 'kind', NEW.kind)
        );
    ELSIF TG_OP = 'UPDATE' AND NEW.state IN ('acknowledged', 'accepted', 'rejected', 'corrected', 'orphan') THEN
        PERFORM ler.tell(
            NEW.reporter_id, 'deviation.' || NEW.state, NULL, NEW.owner_id,
            jsonb_build_object('deviation_id', NEW.id, 'kind', NEW.kind, 'quiet', true)
        );
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER telling_of_report
AFTER INSERT ON ler.deviation
FOR EACH ROW EXECUTE FUNCTION ler.tell_of_deviation();

CREATE TRIGGER telling_of_move
AFTER UPDATE OF state ON ler.deviation
FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION ler.tell_of_deviation();


CREATE OR REPLACE FUNCTION ler.tell_of_offer()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM ler.tell(
        NEW.owner_id, 'deviation.offered', NULL, NULL, jsonb_build_object('deviation_id', NEW.deviation_id)
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER telling_of_offer
AFTER INSERT ON ler.line_claim
FOR EACH ROW EXECUTE FUNCTION ler.tell_of_offer();
