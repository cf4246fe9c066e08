-- The gml:ids that an attribute points to: it holds one, or a list of them. Not STRICT, so that it is written out where it is
-- called, which takes half the time.
CREATE OR REPLACE FUNCTION ler.pointers(value jsonb)
RETURNS TABLE (gml_id text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT jsonb_array_elements_text(
        CASE WHEN jsonb_typeof(value) = 'array' THEN value WHEN value IS NOT NULL THEN jsonb_build_array(value) END
    )
$$;


-- The attributes of kind reference in ler/model/types.toml.
CREATE OR REPLACE FUNCTION ler.reference_attributes()
RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{bilag,indeholdtLedning,startkomponent,slutkomponent,tilknyttetLedning,annotatedFeature,connector}'::text[];


-- Where lines are delivered: the dig area, or all within `clip_buffer_m` of it. The corners of a buffer's arcs lie on
-- the circle and its sides inside; this one is drawn so much larger that its sides touch the circle, and misses nothing.
CREATE OR REPLACE FUNCTION ler.reach(area @postgis@.geometry, clip_buffer_m double precision)
RETURNS @postgis@.geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, @postgis@, pg_temp
AS $$
    SELECT CASE
        WHEN clip_buffer_m > 0 THEN ST_Buffer(area, clip_buffer_m / cos(pi() / (4 * 16)), 'quad_segs=16')
        ELSE area
    END
$$;


-- Half the width of the band in which a line must be looked for, m, as ler.domain.uncertainty has it (a test holds the two
-- together): what its position may be off, and half its outer size, of which at most 10 m count here. 0 of what has no
-- band, and where `unknown_m`, which stands for a position that nobody bounds, is NULL: then bands do not count.
CREATE OR REPLACE FUNCTION ler.half_band_m(
    feature_type text, horizontal_accuracy text, drawing_method text, attributes jsonb, geom @postgis@.geometry,
    unknown_m double precision
)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN unknown_m IS NULL OR geom IS NULL OR feature_type IN (
            'LinearDimension', 'TextAnnotation', 'LinearAnnotation', 'Informationsressource'
        ) THEN 0
        ELSE CASE
            WHEN drawing_method IN ('forskudt', 'skematisk') THEN unknown_m
            WHEN horizontal_accuracy = '<= 0.25 m' THEN 0.25
            WHEN horizontal_accuracy = '<= 0.50 m' THEN 0.5
            WHEN horizontal_accuracy = '<= 1.00 m' THEN 1
            WHEN horizontal_accuracy = '<= 2.00 m' THEN 2
            ELSE unknown_m
        END + CASE
            WHEN @postgis@.ST_Dimension(geom) = 2 THEN 0
            ELSE coalesce(
                (
                    SELECT max(least(s.value::text::double precision / 1000, 10))
                    FROM jsonb_each(attributes) AS s
                    WHERE s.key IN (
                            'udvendigDiameter', 'udvendigBredde', 'bredde', 'bunddiameterbredde', 'bundlaengde'
                        )
                        AND jsonb_typeof(s.value) = 'number' AND s.value::text::double precision > 0
                ),
                CASE feature_type
                    WHEN 'Elledning' THEN 0.2
                    WHEN 'Telekommunikationsledning' THEN 0.2
                    WHEN 'Foeringsroer' THEN 0.4
                    WHEN 'Gasledning' THEN 1.0
                    WHEN 'Olieledning' THEN 0.8
                    WHEN 'Vandledning' THEN 1.4
                    WHEN 'TermiskLedning' THEN 1.4
                    ELSE 3.0
                END
            ) / 2
        END
    END
$$;


-- How far around the area a line with a band can be that may lie in it.
CREATE OR REPLACE FUNCTION ler.widest_band_m(unknown_m double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(greatest(unknown_m, 2) + 5, 0);


-- How far outside the area lines with a band are cut, each at the next that is as wide as its band: a buffer is made once
-- for all lines, not for each. NULL: bands do not count.
CREATE OR REPLACE FUNCTION ler.band_widths_m(unknown_m double precision)
RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(0.5 * 2 ^ n ORDER BY n), '{}')
    FROM generate_series(0, 20) AS n
    WHERE unknown_m IS NOT NULL AND 0.25 * 2 ^ n < ler.widest_band_m(unknown_m)
$$;


-- The reaches of these widths, a millimetre more, so that what touches them is in them. With few corners, since lines are
-- cut segment by segment: an eighth of those of ler.reach. Their sides touch the circle too, and lie up to 8.3 % outside.
CREATE OR REPLACE FUNCTION ler.band_reaches(
    area @postgis@.geometry, clip_buffer_m double precision, widths_m double precision[]
)
RETURNS @postgis@.geometry[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(around.geom ORDER BY w.m), '{}')
    FROM unnest(widths_m) AS w (m)
    CROSS JOIN LATERAL @postgis@.ST_Buffer(
        area, (greatest(w.m, clip_buffer_m) + 0.001) / cos(pi() / (4 * 2)), 'quad_segs=2'
    ) AS around (geom)
$$;


-- What is delivered of a line that does not lie wholly within reach: what of it does, and of one whose band reaches into
-- the area all within the width of it. NULL: nothing.
CREATE OR REPLACE FUNCTION ler.delivered_part(
    geom @postgis@.geometry, half_band_m double precision, area @postgis@.geometry, reach @postgis@.geometry,
    widths_m double precision[], reaches @postgis@.geometry[]
)
RETURNS @postgis@.geometry
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF half_band_m > 0 AND @postgis@.ST_DWithin(area, geom, half_band_m) THEN
        RETURN ler.clip(
            geom, reaches[1 + least(width_bucket(half_band_m - 1e-9, widths_m), cardinality(widths_m) - 1)]
        );
    ELSIF @postgis@.ST_Intersects(reach, geom) THEN
        RETURN ler.clip(geom, reach);
    END IF;
    RETURN NULL;
END
$$;


-- The steps of ler.match_request, which alone may call them: they run with its rights, path and settings.

-- They join with LATERAL (... OFFSET 0) wherever network_feature is read, which leaves one index as the only way in.
-- Estimates know nothing of JSON and areas: left free, the planner read all features for a join of none (370 ms).
--
-- What they may read is pinned: `versions`, and of each, at the same place, `datasets` and `numbers`. They look their
-- pin up in these arrays, which hold an element an owner asked; a join would be the planner's to place.

-- Whether a feature is in version `number` of its dataset; not when there is no such version. Inlined.
CREATE OR REPLACE FUNCTION ler.is_valid_in(number integer, added_in integer, removed_in integer)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN number >= added_in AND (removed_in IS NULL OR number < removed_in);


-- Stores all that has a place in the area, or may have by its band. Dimension lines and annotations are never cut, since a
-- cut dimension line shows a wrong length: they are delivered whole or not at all.
CREATE OR REPLACE FUNCTION ler.match_geometries(
    request ler.excavation_request, answers uuid[], versions uuid[], datasets uuid[], numbers integer[],
    reach @postgis@.geometry
)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    wanted constant uuid := (request).id;
    acting constant uuid := (request).requester_id;
    area constant @postgis@.geometry := (request).area;
    unknown_m constant double precision := (request).unknown_accuracy_m;
    widths_m constant double precision[] := ler.band_widths_m(unknown_m);
    reaches constant @postgis@.geometry[] := ler.band_reaches(area, (request).clip_buffer_m, widths_m);
    around constant @postgis@.geometry := ST_Expand(reach, ler.widest_band_m(unknown_m));
BEGIN
    INSERT INTO ler.package_feature (
        request_id, requester_id, owner_id, answer_id, version_id, seq, feature_type, gml_id, utility_type,
        operational_status, ownership, established, danger_class, ler_id, drawing_method, horizontal_accuracy,
        vertical_accuracy, registered_from, precautions, indicative_depth_mm, level, attributes, voids,
        geom, clipped
    )
    SELECT
        wanted, acting,
        f.owner_id, answers[f.pin], versions[f.pin], f.seq, f.feature_type, f.gml_id, f.utility_type, f.operational_status,
        f.ownership, f.established, f.danger_class, f.ler_id, f.drawing_method, f.horizontal_accuracy,
        f.vertical_accuracy, f.registered_from, f.precautions, f.indicative_depth_mm, f.level, f.attributes,
        f.voids,
        part.geom, NOT f.whole AND part.geom::bytea IS DISTINCT FROM f.geom::bytea
    FROM (
        SELECT n.*, whole.is_so AS whole, band.half_m
        FROM (
            SELECT m.*, array_position(datasets, m.dataset_id) AS pin
            FROM ler.network_feature AS m
            WHERE m.geom && around
            OFFSET 0
        ) AS n
        CROSS JOIN LATERAL (SELECT ler.covers(reach, n.geom) OFFSET 0) AS whole (is_so)
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN whole.is_so THEN 0
                ELSE ler.half_band_m(
                    n.feature_type, n.horizontal_accuracy, n.drawing_method, n.attributes, n.geom, unknown_m
                )
            END
            OFFSET 0
        ) AS band (half_m)
        WHERE ler.is_valid_in(numbers[n.pin], n.added_in, n.removed_in)
        -- One reach after the other: PostGIS keeps what it has prepared of the last only.
        ORDER BY width_bucket(band.half_m - 1e-9, widths_m)
        OFFSET 0
    ) AS f
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN f.whole THEN f.geom
            WHEN f.feature_type IN ('LinearDimension', 'TextAnnotation', 'LinearAnnotation') THEN NULL
            ELSE ler.delivered_part(f.geom, f.half_m, area, reach, widths_m, reaches)
        END
        OFFSET 0
    ) AS part (geom)
    WHERE part.geom IS NOT NULL;
END
$$;


-- The lines of a version that `attributes` name as contained and that have no place of their own.
CREATE OR REPLACE FUNCTION ler.placeless_lines(dataset uuid, number integer, container jsonb)
RETURNS TABLE (seq bigint, attributes jsonb)
LANGUAGE sql STABLE
AS $$
    SELECT f.seq, f.attributes
    FROM ler.pointers(container -> 'indeholdtLedning') AS r (gml_id)
    CROSS JOIN LATERAL (
        SELECT n.seq, n.attributes, n.feature_type
        FROM ler.network_feature AS n
        WHERE n.dataset_id = dataset AND n.gml_id = r.gml_id AND n.geom IS NULL
            AND ler.is_valid_in(number, n.added_in, n.removed_in)
        OFFSET 0
    ) AS f
    WHERE f.feature_type <> 'Informationsressource'
$$;


-- Stores what has no place of its own but goes with what was stored: lines contained in a delivered trace or line, and
-- in those again; attachments that a delivered feature refers to; and, where anything is delivered, attachments that
-- belong to every answer. An attachment that lies elsewhere comes without its place.
CREATE OR REPLACE FUNCTION ler.match_companions(
    wanted uuid, acting uuid, answers uuid[], versions uuid[], datasets uuid[], numbers integer[]
)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    WITH RECURSIVE placed AS (
        SELECT array_position(versions, p.version_id) AS pin, p.attributes
        FROM ler.package_feature AS p
        WHERE p.request_id = wanted AND p.attributes ?| '{indeholdtLedning,bilag}'
    ),
    -- UNION, not UNION ALL: lines that contain each other end the recursion.
    contained AS (
        SELECT p.pin, f.seq, f.attributes
        FROM placed AS p
        CROSS JOIN LATERAL ler.placeless_lines(datasets[p.pin], numbers[p.pin], p.attributes) AS f
        UNION
        SELECT c.pin, f.seq, f.attributes
        FROM contained AS c
        CROSS JOIN LATERAL ler.placeless_lines(datasets[c.pin], numbers[c.pin], c.attributes) AS f
    ),
    companion AS (
        SELECT c.pin, c.seq
        FROM contained AS c
        UNION
        SELECT p.pin, f.seq
        FROM (SELECT * FROM placed UNION ALL SELECT c.pin, c.attributes FROM contained AS c) AS p
        CROSS JOIN LATERAL ler.pointers(p.attributes -> 'bilag') AS r (gml_id)
        CROSS JOIN LATERAL (
            SELECT n.seq
            FROM ler.network_feature AS n
            WHERE n.dataset_id = datasets[p.pin] AND n.gml_id = r.gml_id
                AND n.feature_type = 'Informationsressource'
                AND ler.is_valid_in(numbers[p.pin], n.added_in, n.removed_in)
            OFFSET 0
        ) AS f
        UNION
        SELECT array_position(versions, v.id), unnest(v.common_attachments)
        FROM ler.network_version AS v
        WHERE v.id = ANY (versions) AND EXISTS (
            SELECT FROM ler.package_feature AS p WHERE p.request_id = wanted AND p.owner_id = v.owner_id
        )
    )
    INSERT INTO ler.package_feature (
        request_id, requester_id, owner_id, answer_id, version_id, seq, feature_type, gml_id, utility_type,
        operational_status, ownership, established, danger_class, ler_id, drawing_method, horizontal_accuracy,
        vertical_accuracy, registered_from, precautions, indicative_depth_mm, level, attributes, voids,
        geom, clipped
    )
    SELECT
        wanted, acting,
        f.owner_id, answers[c.pin], versions[c.pin], f.seq, f.feature_type, f.gml_id, f.utility_type, f.operational_status,
        f.ownership, f.established, f.danger_class, f.ler_id, f.drawing_method, f.horizontal_accuracy,
        f.vertical_accuracy, f.registered_from, f.precautions, f.indicative_depth_mm, f.level, f.attributes,
        f.voids,
        NULL, f.geom IS NOT NULL
    FROM companion AS c
    CROSS JOIN LATERAL (
        SELECT n.* FROM ler.network_feature AS n WHERE n.dataset_id = datasets[c.pin] AND n.seq = c.seq OFFSET 0
    ) AS f
    -- An attachment in the area is stored already, with its place.
    ON CONFLICT DO NOTHING;
END
$$;


-- Removes, from the copies that these answers of a request deliver, references to what is not delivered, and counts
-- them.
CREATE OR REPLACE FUNCTION ler.leave_out_references(wanted uuid, answers uuid[])
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    names constant text[] := ler.reference_attributes();
BEGIN
    -- One set of ids an answer, looked up by bisection: a join could be planned as a loop in a loop.
    WITH delivered AS MATERIALIZED (
        SELECT p.answer_id, jsonb_object_agg(p.gml_id, true) AS ids
        FROM ler.package_feature AS p
        WHERE p.request_id = wanted AND p.answer_id = ANY (answers)
        GROUP BY p.answer_id
    ),
    attribute AS (
        SELECT p.answer_id, p.seq, a.key,
            (SELECT jsonb_agg(r.gml_id) FROM ler.pointers(a.value) AS r (gml_id) WHERE d.ids ? r.gml_id) AS kept,
            (SELECT count(*) FROM ler.pointers(a.value) AS r (gml_id) WHERE NOT d.ids ? r.gml_id) AS left_out
        FROM ler.package_feature AS p
        JOIN delivered AS d ON d.answer_id = p.answer_id
        CROSS JOIN LATERAL jsonb_each(p.attributes) AS a
        WHERE p.request_id = wanted AND p.attributes ?| names AND a.key = ANY (names)
    ),
    feature AS (
        SELECT a.answer_id, a.seq, sum(a.left_out)::integer AS left_out, array_agg(a.key) AS changed,
            coalesce(jsonb_object_agg(a.key, a.kept) FILTER (WHERE a.kept IS NOT NULL), '{}') AS rest
        FROM attribute AS a
        WHERE a.left_out > 0
        GROUP BY a.answer_id, a.seq
    )
    UPDATE ler.package_feature AS p
    SET attributes = p.attributes - f.changed || f.rest, left_out_references = f.left_out
    FROM feature AS f
    WHERE p.request_id = wanted AND p.answer_id = f.answer_id AND p.seq = f.seq;
END
$$;


-- Fills new answers of a request from the networks: what lies within reach, what goes with it, and drawings; without what
-- may not be shown (sensitivity.sql), but for the classes that are `released`. Each says what it is then. Runs with the
-- rights, path and settings of the functions that call it.
CREATE OR REPLACE FUNCTION ler.fill_answers(
    request ler.excavation_request, answers uuid[], versions uuid[], datasets uuid[], numbers integer[],
    released text[], refused boolean
)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    wanted constant uuid := (request).id;
    acting constant uuid := (request).requester_id;
    reach constant @postgis@.geometry := ler.reach((request).area, (request).clip_buffer_m);
    guarded uuid[];
    one record;
BEGIN
    PERFORM ler.match_geometries(request, answers, versions, datasets, numbers, reach);
    -- Most owners have no rules; then nothing is looked for.
    guarded := ler.owners_with_rules(ARRAY(SELECT a.owner_id FROM ler.owner_answer AS a WHERE a.id = ANY (answers)));
    IF guarded <> '{}' THEN
        FOR one IN SELECT a AS answer, array_position(answers, a.id) AS pin
            FROM ler.owner_answer AS a WHERE a.id = ANY (answers) AND a.owner_id = ANY (guarded)
        LOOP
            PERFORM ler.withhold_lines(
                one.answer, datasets[one.pin], numbers[one.pin], reach, released, (request).unknown_accuracy_m
            );
        END LOOP;
    END IF;
    -- Most packages have nothing that goes with another thing; two statements are then not even looked at.
    IF EXISTS (
        SELECT FROM ler.package_feature AS p
        WHERE p.request_id = wanted AND p.answer_id = ANY (answers) AND p.attributes ?| '{indeholdtLedning,bilag}'
    ) OR EXISTS (
        SELECT FROM ler.network_version AS v WHERE v.id = ANY (versions) AND v.common_attachments <> '{}'
    ) THEN
        PERFORM ler.match_companions(wanted, acting, answers, versions, datasets, numbers);
    END IF;
    IF guarded <> '{}' THEN
        FOR one IN SELECT a AS answer, array_position(answers, a.id) AS pin
            FROM ler.owner_answer AS a WHERE a.id = ANY (answers) AND a.owner_id = ANY (guarded)
        LOOP
            PERFORM ler.take_out_withheld(one.answer);
            PERFORM ler.withhold_companions(one.answer, datasets[one.pin]);
        END LOOP;
    END IF;
    IF EXISTS (
        SELECT FROM ler.package_feature AS p
        WHERE p.request_id = wanted AND p.answer_id = ANY (answers) AND p.attributes ?| ler.reference_attributes()
    ) THEN
        PERFORM ler.leave_out_references(wanted, answers);
    END IF;

    UPDATE ler.owner_answer AS a
    SET feature_count = found.features, answer_type = 'ledningsoplysninger udleveret'
    FROM (
        SELECT p.answer_id, count(*)::integer AS features
        FROM ler.package_feature AS p
        WHERE p.request_id = wanted AND p.answer_id = ANY (answers)
        GROUP BY p.answer_id
    ) AS found
    WHERE a.id = found.answer_id;
    IF guarded <> '{}' THEN
        FOR one IN SELECT a AS answer, array_position(answers, a.id) AS pin
            FROM ler.owner_answer AS a WHERE a.id = ANY (answers) AND a.owner_id = ANY (guarded)
        LOOP
            PERFORM ler.forget_withheld_references(one.answer, datasets[one.pin]);
            PERFORM ler.tell_withheld(one.answer, refused);
        END LOOP;
    END IF;

    PERFORM ler.match_drawings(request, answers, reach, guarded, released);
END
$$;


-- Answers an excavation request, once: asks every owner with an interest area in the dig area, and owners that answer here
-- and have lines that may lie in it (ler.whom_to_ask), matches the current network of each against the area, and stores what lies inside as the package's features, and with them the drawings
-- (drawings.sql) of those who deliver any. An owner that has published nothing has not answered, and gets no answer:
-- "no lines" would be a lie; nor does one for the areas for which it answers itself. `due_at` is when an owner that
-- does not answer here must have done so, `dispensed_due_at` one that has a dispensation now; NULL: no owner is taken to
-- have one. `manual_due_at` is when the owner must have given its word on lines that its rules withhold, which takes the
-- request out for manual handling (LAW § 10(2)); NULL: no later than others.
--
-- A request that names utility types asks the interest areas that have one of them, and no other. An owner that is
-- asked delivers all that it has there: what it wrote of its areas must not hide a line.
--
-- The requester never reads the network; this function does, as the owner of the tables, for one area, once, and
-- leaves an audit event. Row by row: owner, its interest areas touched, and NULLs or the version matched, the number
-- of features delivered and the answer.
--
--   LE401  nobody acts     LE404  no such request, or not yours     LE409  matched or cancelled already
CREATE OR REPLACE FUNCTION ler.match_request(
    request_id uuid, due_at timestamptz, dispensed_due_at timestamptz DEFAULT NULL,
    manual_due_at timestamptz DEFAULT NULL
)
RETURNS TABLE (
    owner_id uuid,
    interest_area_ids uuid[],
    version_id uuid,
    feature_count integer,
    answer_type text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
-- Plans are made once a session: planning anew for each area takes longer than most matches. They do not depend on
-- the area, since the geometry index is the only way that the statements below leave open.
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    acting constant uuid := ler.principal();
    wanted constant uuid := match_request.request_id;
    request ler.excavation_request;
    answers uuid[];
    versions uuid[];
    datasets uuid[];
    numbers integer[];
BEGIN
    IF acting IS NULL THEN
        RAISE EXCEPTION 'nobody acts' USING ERRCODE = 'LE401';
    END IF;
    -- Of two calls for one request the second waits here, and finds it matched.
    UPDATE ler.excavation_request AS r SET matched_at = now(), revision = 1
    WHERE r.id = wanted AND r.requester_id = acting AND r.matched_at IS NULL AND r.state = 'open'
    RETURNING r.* INTO request;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM ler.excavation_request AS r WHERE r.id = wanted AND r.requester_id = acting) THEN
            RAISE EXCEPTION 'the request is matched already' USING ERRCODE = 'LE409';
        END IF;
        RAISE EXCEPTION 'no such request' USING ERRCODE = 'LE404';
    END IF;
    INSERT INTO ler.owner_request (request_id, requester_id, owner_id, interest_area_id, dispensed, due_at)
    SELECT wanted, acting, o.owner_id, o.interest_area_id, dispensed.is_so,
        CASE WHEN dispensed.is_so THEN match_request.dispensed_due_at ELSE match_request.due_at END
    FROM ler.whom_to_ask(request) AS o
    CROSS JOIN LATERAL (
        SELECT match_request.dispensed_due_at IS NOT NULL AND EXISTS (
            SELECT FROM ler.dispensation AS d
            WHERE d.owner_id = o.owner_id AND d.valid_from <= now() AND (d.valid_to IS NULL OR d.valid_to > now())
        )
    ) AS dispensed (is_so);

    -- One publication later, all that follows still reads these versions.
    WITH given AS (
        -- What it says is put right below, when its features are counted.
        INSERT INTO ler.owner_answer (request_id, requester_id, owner_id, version_id, answer_type)
        SELECT wanted, acting, d.owner_id, d.current_version_id, 'ingen ledninger i graveområde'
        FROM ler.network_dataset AS d
        WHERE d.current_version_id IS NOT NULL
            AND d.owner_id IN (
                SELECT q.owner_id
                FROM ler.owner_request AS q
                JOIN ler.interest_area AS i ON i.id = q.interest_area_id
                WHERE q.request_id = wanted AND i.answered_by = 'platform'
            )
        RETURNING id, version_id
    )
    SELECT coalesce(array_agg(g.id), '{}'), coalesce(array_agg(v.id), '{}'), coalesce(array_agg(v.dataset_id), '{}'),
        coalesce(array_agg(v.number), '{}')
    INTO answers, versions, datasets, numbers
    FROM given AS g
    JOIN ler.network_version AS v ON v.id = g.version_id;

    PERFORM ler.fill_answers(request, answers, versions, datasets, numbers, '{}', false);

    -- As the machine of ler.domain.states leads: answer, or what withheld lines lead to.
    UPDATE ler.owner_request AS q
    SET answered_at = now(),
        due_at = CASE
            WHEN a.answer_type = 'udtaget til manuel behandling' THEN greatest(q.due_at, match_request.manual_due_at)
            ELSE q.due_at
        END,
        state = CASE
            WHEN a.answer_type = 'udtaget til manuel behandling' THEN 'taken-out'
            WHEN a.answer_type LIKE 'udtaget til påvisning%' THEN 'to-be-marked'
            ELSE 'answered'
        END
    FROM ler.owner_answer AS a, ler.interest_area AS i
    WHERE q.request_id = wanted AND a.request_id = wanted AND a.owner_id = q.owner_id
        AND i.id = q.interest_area_id AND i.answered_by = 'platform';
    PERFORM ler.settle_request(wanted);

    INSERT INTO ler.audit_event (actor, action, object_id, details)
    SELECT
        acting, 'ler:excavation_request:match', wanted,
        jsonb_build_object(
            'owners_asked',
            (SELECT count(DISTINCT q.owner_id) FROM ler.owner_request AS q WHERE q.request_id = wanted),
            'owners_answered', count(*),
            'features', coalesce(sum(a.feature_count), 0)
        )
    FROM ler.owner_answer AS a
    WHERE a.request_id = wanted;

    RETURN QUERY
    SELECT q.owner_id, array_agg(q.interest_area_id ORDER BY q.interest_area_id), a.version_id, a.feature_count,
        a.answer_type
    FROM ler.owner_request AS q
    LEFT JOIN ler.owner_answer AS a ON a.request_id = q.request_id AND a.owner_id = q.owner_id
    WHERE q.request_id = wanted
    GROUP BY q.owner_id, a.version_id, a.feature_count, a.answer_type
    ORDER BY q.owner_id;
END
$$;
