-- Lines that are not shown to everybody: which they are, what is told of them, and the owner's yes or no.
--
-- The words and the classes are those of ler.domain.sensitivity. What is withheld is decided by the cells of a fixed
-- grid: an answer depends on which cells the asked area touches, or comes as near to as a line's band is wide, and never
-- on where in a cell a line runs.

-- The side of a cell, m.
CREATE OR REPLACE FUNCTION ler.cell_m()
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 20.0;


-- How strict a class is; NULL for none.
CREATE OR REPLACE FUNCTION ler.strictness(class text)
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_position('{restricted,site-marking,never}'::text[], class);


-- Whether a rule holds for a feature.
CREATE OR REPLACE FUNCTION ler.rule_meets(rule ler.sensitivity_rule, feature ler.network_feature)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT ((rule).feature_types IS NULL OR (feature).feature_type = ANY ((rule).feature_types))
        AND ((rule).gml_ids IS NULL OR (feature).gml_id = ANY ((rule).gml_ids))
        AND (
            (rule).danger_classes IS NULL
            OR coalesce((feature).danger_class = ANY ((rule).danger_classes), false)
        )
        AND (
            (rule).utility_types IS NULL
            OR coalesce((feature).utility_type = ANY ((rule).utility_types), false)
            OR coalesce((feature).attributes -> 'forsyningsart' ?| (rule).utility_types, false)
        )
        AND (
            (rule).area IS NULL
            OR coalesce((rule).area && (feature).geom AND ST_Intersects((rule).area, (feature).geom), false)
        )
$$;


-- The strictest class that an owner's rules and the operator's give a feature, but for those released; NULL: none.
CREATE OR REPLACE FUNCTION ler.class_of(feature ler.network_feature, released text[])
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT r.class
    FROM ler.sensitivity_rule AS r
    WHERE r.ended_at IS NULL AND (r.owner_id = (feature).owner_id OR r.owner_id IS NULL)
        AND r.class <> ALL (released) AND ler.rule_meets(r, feature)
    ORDER BY ler.strictness(r.class) DESC
    LIMIT 1
$$;


-- Which of these owners have rules in force.
CREATE OR REPLACE FUNCTION ler.owners_with_rules(owners uuid[])
RETURNS uuid[]
LANGUAGE sql STABLE
AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM ler.sensitivity_rule AS r WHERE r.owner_id IS NULL AND r.ended_at IS NULL) THEN owners
        ELSE ARRAY(
            SELECT DISTINCT r.owner_id
            FROM ler.sensitivity_rule AS r
            WHERE r.owner_id = ANY (owners) AND r.ended_at IS NULL
        )
    END
$$;


-- The cells of the grid that a shape touches and that lie within `within_m` of an area, as one surface; NULL when there is
-- none. Line by line in pieces no longer than a cell: the box of a long line holds many cells that it never sees.
CREATE OR REPLACE FUNCTION ler.shared_cells(
    shape @postgis@.geometry, area @postgis@.geometry, within_m double precision DEFAULT 0
)
RETURNS @postgis@.geometry
LANGUAGE sql STABLE STRICT
AS $$
    WITH piece AS (
        SELECT one.geom
        FROM ST_Dump(ST_Force2D(shape)) AS part
        CROSS JOIN LATERAL (
            SELECT CASE ST_Dimension(part.geom)
                WHEN 2 THEN ST_ClipByBox2D(part.geom, Box2D(ST_Expand(area, 2 * ler.cell_m() + within_m)))
                ELSE part.geom
            END
            WHERE ST_Dimension(part.geom) <> 1
            UNION ALL
            -- A riser has no length in the plane, which GEOS does not take for a line.
            SELECT CASE WHEN ST_Length(s.geom) > 0 THEN s.geom ELSE ST_StartPoint(s.geom) END
            FROM ST_DumpSegments(ST_Segmentize(part.geom, ler.cell_m())) AS s
            WHERE ST_Dimension(part.geom) = 1
        ) AS one (geom)
        WHERE ST_DWithin(one.geom, area, ler.cell_m() * sqrt(2) + within_m)
    )
    SELECT ST_Multi(ST_Union(DISTINCT c.geom))
    FROM piece AS p
    CROSS JOIN LATERAL ST_SquareGrid(ler.cell_m(), ST_Expand(p.geom, 0.001)) AS c
    WHERE ST_Intersects(c.geom, p.geom) AND ST_DWithin(c.geom, area, within_m)
$$;


-- Lines and traces that a line or trace names as contained, with a place of their own or without.
CREATE OR REPLACE FUNCTION ler.contained_lines(dataset uuid, number integer, container jsonb)
RETURNS TABLE (seq bigint, attributes jsonb)
LANGUAGE sql STABLE
AS $$
    SELECT f.seq, f.attributes
    FROM ler.pointers(container -> 'indeholdtLedning') AS r (gml_id)
    CROSS JOIN LATERAL (
        SELECT n.seq, n.attributes
        FROM ler.network_feature AS n
        WHERE n.dataset_id = dataset AND n.gml_id = r.gml_id AND ler.is_valid_in(number, n.added_in, n.removed_in)
        OFFSET 0
    ) AS f
$$;


-- What of one owner's network, in a version, may not be shown to who asks for an area, and the cells that tell of it:
-- what rules meet, what contains such a line - its place would be the line's -, what such a line contains, and components
-- at it. A feature counts when one of its cells lies in the area, or as near as its band is wide (ler.half_band_m with
-- `unknown_m`; NULL: bands do not count); what has no place of its own, when something that contains it does.
CREATE OR REPLACE FUNCTION ler.sensitive_near(
    dataset uuid, number integer, area @postgis@.geometry, released text[], unknown_m double precision DEFAULT NULL
)
RETURNS TABLE (seq bigint, gml_id text, class text, cells @postgis@.geometry)
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE near AS MATERIALIZED (
        SELECT n.seq, n.attributes
        FROM (
            SELECT m.dataset_id, m.seq, m.added_in, m.removed_in, m.attributes, m.geom
            FROM ler.network_feature AS m
            WHERE m.geom && ST_Expand(area, 2 * ler.cell_m() + ler.widest_band_m(unknown_m))
            OFFSET 0
        ) AS n
        WHERE n.dataset_id = dataset AND ler.is_valid_in(number, n.added_in, n.removed_in)
            AND ST_DWithin(n.geom, area, ler.cell_m() * sqrt(2) + ler.widest_band_m(unknown_m))
    ),
    -- UNION, not UNION ALL: lines that contain each other end the recursions.
    node AS (
        SELECT n.seq, n.attributes FROM near AS n
        UNION
        SELECT f.seq, f.attributes
        FROM node AS n
        CROSS JOIN LATERAL ler.contained_lines(dataset, number, n.attributes) AS f
    ),
    feature AS MATERIALIZED (
        SELECT f.*, ler.strictness(ler.class_of(f, released)) AS strictness
        FROM node AS n
        CROSS JOIN LATERAL (
            SELECT * FROM ler.network_feature AS m WHERE m.dataset_id = dataset AND m.seq = n.seq OFFSET 0
        ) AS f
    ),
    edge AS MATERIALIZED (
        SELECT n.seq AS upper, f.seq AS lower
        FROM node AS n
        CROSS JOIN LATERAL ler.contained_lines(dataset, number, n.attributes) AS f
    ),
    within AS (
        SELECT e.upper, e.lower FROM edge AS e
        UNION
        SELECT w.upper, e.lower FROM within AS w JOIN edge AS e ON e.upper = w.lower
    ),
    given AS (
        SELECT f.seq, f.strictness FROM feature AS f
        UNION ALL
        SELECT w.upper, f.strictness FROM within AS w JOIN feature AS f ON f.seq = w.lower
        UNION ALL
        SELECT w.lower, f.strictness FROM within AS w JOIN feature AS f ON f.seq = w.upper
    ),
    sensitive AS MATERIALIZED (
        SELECT f.seq, f.gml_id, f.attributes, g.strictness
        FROM given AS g
        JOIN feature AS f ON f.seq = g.seq
        WHERE g.strictness IS NOT NULL
    ),
    -- A component has a band of its own: taken out because of its line alone, it would tell where that ends.
    at_it AS (
        SELECT c.seq, s.strictness
        FROM sensitive AS s
        CROSS JOIN LATERAL jsonb_each(s.attributes) AS a
        CROSS JOIN LATERAL ler.pointers(a.value) AS r (gml_id)
        JOIN feature AS c ON c.gml_id = r.gml_id
        WHERE a.key IN ('startkomponent', 'slutkomponent')
        UNION ALL
        SELECT c.seq, s.strictness
        FROM feature AS c
        CROSS JOIN LATERAL ler.pointers(c.attributes -> 'tilknyttetLedning') AS r (gml_id)
        JOIN sensitive AS s ON s.gml_id = r.gml_id
    ),
    strictest AS MATERIALIZED (
        SELECT f.seq, f.gml_id, f.geom, found.strictness,
            -- A millimetre more than what is delivered: nothing is delivered by a digit that was rounded.
            ler.shared_cells(f.geom, area, CASE WHEN band.half_m > 0 THEN band.half_m + 0.001 ELSE 0 END) AS cells
        FROM (
            SELECT g.seq, max(g.strictness) AS strictness
            FROM (SELECT s.seq, s.strictness FROM sensitive AS s UNION ALL SELECT * FROM at_it) AS g
            GROUP BY g.seq
        ) AS found
        JOIN feature AS f ON f.seq = found.seq
        CROSS JOIN LATERAL (
            SELECT ler.half_band_m(
                f.feature_type, f.horizontal_accuracy, f.drawing_method, f.attributes, f.geom, unknown_m
            )
        ) AS band (half_m)
    )
    SELECT s.seq, s.gml_id, ('{restricted,site-marking,never}'::text[])[s.strictness], s.cells
    FROM strictest AS s
    WHERE s.cells IS NOT NULL OR s.geom IS NULL AND EXISTS (
        SELECT
        FROM within AS w
        JOIN strictest AS t ON t.seq = w.upper
        WHERE w.lower = s.seq AND t.cells IS NOT NULL
    )
$$;


-- The steps of ler.fill_answers (match.sql), which alone may call them: they run with its rights, path and settings.

-- Takes what may not be shown out of what was matched for an answer, and notes it. What has no place of its own is
-- noted as well: it must not come along with another thing.
CREATE OR REPLACE FUNCTION ler.withhold_lines(
    answer ler.owner_answer, dataset uuid, number integer, reach @postgis@.geometry, released text[],
    unknown_m double precision
)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO ler.withheld_feature (answer_id, request_id, requester_id, owner_id, seq, gml_id, class, cells)
    SELECT (answer).id, (answer).request_id, (answer).requester_id, (answer).owner_id, s.seq, s.gml_id, s.class, s.cells
    FROM ler.sensitive_near(dataset, number, reach, released, unknown_m) AS s;
    PERFORM ler.take_out_withheld(answer);
END
$$;


CREATE OR REPLACE FUNCTION ler.take_out_withheld(answer ler.owner_answer)
RETURNS void
LANGUAGE sql VOLATILE
AS $$
    WITH taken AS (
        DELETE FROM ler.package_feature AS p
        USING ler.withheld_feature AS w
        WHERE w.request_id = (answer).request_id AND w.answer_id = (answer).id
            AND p.request_id = w.request_id AND p.answer_id = w.answer_id AND p.seq = w.seq
        RETURNING p.seq
    )
    UPDATE ler.withheld_feature AS w SET inside = true
    FROM taken AS t
    WHERE w.request_id = (answer).request_id AND w.answer_id = (answer).id AND w.seq = t.seq
$$;


-- Takes out what would tell of a withheld line although no rule meets it: components and attachments that it refers to
-- or that refer to it, texts on it, and dimensions and annotations in its cells, which are measured from it.
CREATE OR REPLACE FUNCTION ler.withhold_companions(answer ler.owner_answer, dataset uuid)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    LOOP
        WITH withheld AS MATERIALIZED (
            SELECT w.seq, w.gml_id, w.class, w.cells
            FROM ler.withheld_feature AS w
            WHERE w.request_id = (answer).request_id AND w.answer_id = (answer).id
        ),
        named AS MATERIALIZED (
            SELECT r.gml_id, max(ler.strictness(w.class)) AS strictness
            FROM withheld AS w
            CROSS JOIN LATERAL (
                SELECT n.attributes FROM ler.network_feature AS n WHERE n.dataset_id = dataset AND n.seq = w.seq OFFSET 0
            ) AS f
            CROSS JOIN LATERAL jsonb_each(f.attributes) AS a
            CROSS JOIN LATERAL ler.pointers(a.value) AS r (gml_id)
            WHERE a.key IN ('startkomponent', 'slutkomponent', 'bilag', 'connector')
            GROUP BY r.gml_id
        ),
        candidate AS MATERIALIZED (
            SELECT p.seq, p.gml_id, p.attributes, p.geom,
                p.feature_type IN ('LinearDimension', 'TextAnnotation', 'LinearAnnotation') AS drawn
            FROM ler.package_feature AS p
            WHERE p.request_id = (answer).request_id AND p.answer_id = (answer).id
                AND (
                    p.feature_type LIKE '%komponent'
                    OR p.feature_type IN (
                        'LinearDimension', 'TextAnnotation', 'LinearAnnotation', 'Informationsressource'
                    )
                )
        ),
        telling AS (
            SELECT c.seq, n.strictness
            FROM candidate AS c
            JOIN named AS n ON n.gml_id = c.gml_id
            UNION ALL
            SELECT c.seq, ler.strictness(w.class)
            FROM candidate AS c
            CROSS JOIN LATERAL jsonb_each(c.attributes) AS a
            CROSS JOIN LATERAL ler.pointers(a.value) AS r (gml_id)
            JOIN withheld AS w ON w.gml_id = r.gml_id
            WHERE a.key IN ('tilknyttetLedning', 'annotatedFeature', 'connector')
            UNION ALL
            SELECT c.seq, ler.strictness(w.class)
            FROM candidate AS c
            JOIN withheld AS w ON w.cells && c.geom AND ST_Intersects(w.cells, c.geom)
            WHERE c.drawn
        )
        INSERT INTO ler.withheld_feature (answer_id, request_id, requester_id, owner_id, seq, gml_id, class)
        SELECT
            (answer).id, (answer).request_id, (answer).requester_id, (answer).owner_id, c.seq, c.gml_id,
            ('{restricted,site-marking,never}'::text[])[max(t.strictness)]
        FROM telling AS t
        JOIN candidate AS c ON c.seq = t.seq
        GROUP BY c.seq, c.gml_id;
        EXIT WHEN NOT FOUND;
        PERFORM ler.take_out_withheld(answer);
    END LOOP;
END
$$;


-- Counts the references that were left out anew, without those to what is withheld: how many things are withheld is
-- not told.
CREATE OR REPLACE FUNCTION ler.forget_withheld_references(answer ler.owner_answer, dataset uuid)
RETURNS void
LANGUAGE sql VOLATILE
AS $$
    UPDATE ler.package_feature AS p
    SET left_out_references = (
        SELECT count(*)
        FROM jsonb_each(n.attributes) AS a
        CROSS JOIN LATERAL ler.pointers(a.value) AS r (gml_id)
        WHERE a.key = ANY (ler.reference_attributes())
            AND NOT EXISTS (
                SELECT FROM ler.package_feature AS d
                WHERE d.request_id = p.request_id AND d.answer_id = p.answer_id AND d.gml_id = r.gml_id
            )
            AND NOT EXISTS (
                SELECT FROM ler.withheld_feature AS w
                WHERE w.request_id = p.request_id AND w.answer_id = p.answer_id AND w.gml_id = r.gml_id
            )
    )
    FROM ler.network_feature AS n
    WHERE p.request_id = (answer).request_id AND p.answer_id = (answer).id AND p.left_out_references > 0
        AND n.dataset_id = dataset AND n.seq = p.seq
$$;


-- What is said to who digs, in Danish and English: that lines lie there which are not shown, whom to call, and that
-- nobody digs before.
CREATE OR REPLACE FUNCTION ler.withheld_words(owner_id uuid, awaits_owner boolean, marked_cells boolean)
RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT
        'Her ligger ledninger, som ikke er vist. Grav ikke, før '
        || CASE
            WHEN awaits_owner THEN who.name || ' har svaret på, om de udleveres, og svaret er kommet'
            ELSE who.name || ' har påvist dem på stedet eller sagt, hvor der kan graves'
        END
        || '. Kontakt ' || who.contact || '.'
        || CASE
            WHEN marked_cells THEN ' De felter på 20 x 20 m, som er vist, er ikke ledningernes form:'
                || ' de ligger et sted i dem.'
            ELSE ''
        END
        || ' / Lines lie here that are not shown. Do not dig before '
        || CASE
            WHEN awaits_owner THEN who.name || ' has said whether they are delivered, and the answer is there'
            ELSE who.name || ' has pointed them out on site or has said where you can dig'
        END
        || '. Contact ' || who.contact || '.'
        || CASE
            WHEN marked_cells THEN ' The squares of 20 x 20 m that are shown are not the shape of the lines:'
                || ' they run somewhere in them.'
            ELSE ''
        END
    FROM (
        SELECT o.name, concat_ws(', ', o.name, o.phone, o.email) AS contact
        FROM ler.organisation AS o
        WHERE o.id = withheld_words.owner_id
    ) AS who
$$;


-- Says of an answer from which lines were withheld what it is, as ler.domain.sensitivity.answer_type_of has it, and
-- what who digs must know. `refused`: the owner has said no.
CREATE OR REPLACE FUNCTION ler.tell_withheld(answer ler.owner_answer, refused boolean)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    told ler.answer_withheld;
BEGIN
    SELECT (answer).id, (answer).request_id, (answer).requester_id, (answer).owner_id,
        bool_or(w.class = 'restricted') AND NOT refused,
        -- The order of its corners would else tell how many lines there are.
        ST_Normalize(ST_Multi(ST_Union(w.cells) FILTER (WHERE w.class = 'site-marking')))
    INTO told
    FROM ler.withheld_feature AS w
    WHERE w.request_id = (answer).request_id AND w.answer_id = (answer).id AND (w.inside OR w.cells IS NOT NULL);
    IF told.awaits_owner IS NULL THEN
        -- Nothing is withheld.
        RETURN;
    END IF;
    INSERT INTO ler.answer_withheld VALUES (told.*);
    UPDATE ler.owner_answer AS a
    SET further_information = ler.withheld_words(a.owner_id, told.awaits_owner, told.marking_area IS NOT NULL),
        answer_type = CASE
            WHEN told.awaits_owner THEN 'udtaget til manuel behandling'
            WHEN a.feature_count > 0 THEN 'udtaget til påvisning - ledningsoplysninger udleveret'
            WHEN told.marking_area IS NOT NULL THEN 'udtaget til påvisning - ledningsoplysninger udleveres ikke'
            ELSE 'ledningsoplysninger udleveres ikke'
        END
    WHERE a.id = (answer).id;
END
$$;


-- Whether what of a drawing would be delivered shows a line that may not be shown, by the cells of both.
CREATE OR REPLACE FUNCTION ler.shows_withheld(
    drawing ler.drawing, answer ler.owner_answer, reach @postgis@.geometry, released text[]
)
RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        -- It belongs to a withheld feature: by its own link, or by an attachment of that.
        SELECT FROM ler.withheld_feature AS w
        CROSS JOIN LATERAL (
            SELECT n.gml_id, n.attributes
            FROM ler.network_feature AS n
            WHERE n.dataset_id = v.dataset_id AND n.seq = w.seq
            OFFSET 0
        ) AS f
        WHERE w.request_id = (answer).request_id AND w.answer_id = (answer).id
            AND (
                f.gml_id = ANY ((drawing).linked_gml_ids)
                OR ler.file_name(f.attributes ->> 'sti') = (drawing).name
                OR EXISTS (
                    SELECT FROM ler.pointers(f.attributes -> 'bilag') AS r (gml_id)
                    CROSS JOIN LATERAL (
                        SELECT n.attributes
                        FROM ler.network_feature AS n
                        WHERE n.dataset_id = v.dataset_id AND n.gml_id = r.gml_id
                            AND ler.is_valid_in(v.number, n.added_in, n.removed_in)
                        OFFSET 0
                    ) AS t
                    WHERE ler.file_name(t.attributes ->> 'sti') = (drawing).name
                )
            )
    ) OR EXISTS (
        SELECT FROM ler.sensitive_near(
            v.dataset_id, v.number,
            CASE (drawing).deliver
                WHEN 'whole' THEN (drawing).geom
                ELSE ST_Intersection((drawing).geom, reach)
            END,
            released
        ) AS s
        WHERE s.cells IS NOT NULL
    )
    FROM ler.network_version AS v
    WHERE v.id = (answer).version_id
$$;


-- The owner says whether a requester gets the restricted lines of an answer: yes, and another answer with them takes its
-- place, from the version that was matched; no, and one that says so does. Returns the new answer.
--
--   LE401  nobody acts     LE404  no such answer, or not yours     LE409  nothing awaits your word, or the request is over
CREATE OR REPLACE FUNCTION ler.decide_withheld(answer_id uuid, deliver boolean)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    acting constant uuid := ler.principal();
    wanted constant uuid := decide_withheld.answer_id;
    request ler.excavation_request;
    before ler.owner_answer;
    version ler.network_version;
    made uuid;
    released text[] := '{}';
    following text;
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    SELECT r.* INTO request
    FROM ler.excavation_request AS r
    WHERE r.id = (SELECT a.request_id FROM ler.owner_answer AS a WHERE a.id = wanted AND a.owner_id = acting)
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such answer' USING ERRCODE = 'LE404';
    END IF;
    PERFORM FROM ler.owner_request AS q
    WHERE q.request_id = request.id AND q.owner_id = acting
    ORDER BY q.id
    FOR UPDATE;
    SELECT a.* INTO before
    FROM ler.owner_answer AS a
    JOIN ler.answer_withheld AS w ON w.request_id = a.request_id AND w.answer_id = a.id AND w.awaits_owner
    WHERE a.id = wanted AND a.replaced_at IS NULL
    FOR UPDATE OF a;
    IF NOT FOUND OR request.state NOT IN ('open', 'answered', 'complete') THEN
        RAISE EXCEPTION 'nothing awaits a decision' USING ERRCODE = 'LE409';
    END IF;
    SELECT v.* INTO STRICT version FROM ler.network_version AS v WHERE v.id = before.version_id;

    UPDATE ler.owner_answer AS a SET replaced_at = now() WHERE a.id = wanted;
    INSERT INTO ler.owner_answer (
        request_id, requester_id, owner_id, interest_area_id, revision, version_id, answer_type
    )
    VALUES (
        before.request_id, before.requester_id, acting, before.interest_area_id, before.revision + 1,
        before.version_id, 'ingen ledninger i graveområde'
    )
    RETURNING id INTO made;
    IF deliver THEN
        released := '{restricted}';
    END IF;
    PERFORM ler.fill_answers(
        request, ARRAY[made], ARRAY[version.id], ARRAY[version.dataset_id], ARRAY[version.number],
        released, NOT deliver
    );

    SELECT CASE
        WHEN a.answer_type LIKE 'udtaget til påvisning%' THEN 'to-be-marked'
        WHEN a.answer_type = 'udtaget til manuel behandling' THEN 'taken-out'
        ELSE 'answered'
    END
    INTO following
    FROM ler.owner_answer AS a
    WHERE a.id = made;
    UPDATE ler.owner_request AS q
    SET state = following, answered_at = now(), late = q.late OR q.due_at < now()
    WHERE q.id IN (SELECT c.id FROM ler.covered_by(before) AS c) AND q.state = 'taken-out';
    UPDATE ler.excavation_request AS r SET revision = r.revision + 1 WHERE r.id = request.id;
    PERFORM ler.settle_request(request.id);

    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        acting, CASE WHEN deliver THEN 'owner:owner_answer:release' ELSE 'owner:owner_answer:withhold' END, made,
        jsonb_build_object('request_id', request.id, 'replaces', wanted)
    );
    RETURN made;
END
$$;


-- The rules by which a file of the caller is judged: its own and the operator's. Those of the operator are shown to
-- nobody else: where lines must not be known is not to be read from a rule that says so.
CREATE OR REPLACE FUNCTION ler.rules_in_force()
RETURNS SETOF ler.sensitivity_rule
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT r.*
    FROM ler.sensitivity_rule AS r
    WHERE r.ended_at IS NULL AND (r.owner_id = ler.principal() OR r.owner_id IS NULL AND ler.principal() IS NOT NULL)
    ORDER BY r.id
$$;


-- What a delta left as it was although a rule says that it must never be stored. As the caller, who stages for itself.
CREATE OR REPLACE FUNCTION ler.staged_forbidden(staged uuid)
RETURNS TABLE (gml_id text, feature_type text)
LANGUAGE sql STABLE
AS $$
    SELECT f.gml_id, f.feature_type
    FROM ler.network_version AS v
    JOIN ler.staged_feature AS s ON s.version_id = v.id AND s.line = 0
    JOIN ler.network_feature AS f ON f.dataset_id = v.dataset_id AND f.gml_id = s.gml_id AND f.removed_in IS NULL
    WHERE v.id = staged
        AND EXISTS (SELECT FROM ler.rules_in_force() AS r WHERE r.class = 'never' AND ler.rule_meets(r, f))
    ORDER BY s.seq
$$;
