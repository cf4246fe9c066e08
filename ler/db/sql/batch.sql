-- What a batch reads of an owner's network, in one version. All of it as the owner: row-level security shows no other rows,
-- but for the last function, which says itself whose lines they are.

-- How many lines have their middle in each square of `cell_m`, and how far those reach.
CREATE OR REPLACE FUNCTION ler.network_cells(dataset uuid, number integer, cell_m double precision)
RETURNS TABLE (
    column_number bigint, row_number bigint, lines bigint,
    west double precision, south double precision, east double precision, north double precision
)
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT
        floor((ST_XMin(f.geom) + ST_XMax(f.geom)) / 2 / cell_m)::bigint,
        floor((ST_YMin(f.geom) + ST_YMax(f.geom)) / 2 / cell_m)::bigint,
        count(*), min(ST_XMin(f.geom)), min(ST_YMin(f.geom)), max(ST_XMax(f.geom)), max(ST_YMax(f.geom))
    FROM ler.network_feature AS f
    WHERE f.dataset_id = dataset AND f.geom IS NOT NULL AND ler.is_valid_in(number, f.added_in, f.removed_in)
    GROUP BY 1, 2
$$;


-- Features of some types that have no place, and of each the first that contains it.
CREATE OR REPLACE FUNCTION ler.placeless_features(dataset uuid, number integer, types text[])
RETURNS TABLE (seq bigint, holder bigint)
LANGUAGE sql STABLE STRICT
AS $$
    WITH placeless AS (
        SELECT f.seq, f.gml_id
        FROM ler.network_feature AS f
        WHERE f.dataset_id = dataset AND f.geom IS NULL AND f.feature_type = ANY (types)
            AND ler.is_valid_in(number, f.added_in, f.removed_in)
    ),
    contained AS (
        SELECT r.gml_id, min(h.seq) AS holder
        FROM ler.network_feature AS h
        CROSS JOIN LATERAL ler.pointers(h.attributes -> 'indeholdtLedning') AS r (gml_id)
        WHERE EXISTS (SELECT FROM placeless) AND h.dataset_id = dataset AND h.attributes ? 'indeholdtLedning'
            AND h.feature_type = ANY (types) AND ler.is_valid_in(number, h.added_in, h.removed_in)
        GROUP BY r.gml_id
    )
    SELECT p.seq, c.holder FROM placeless AS p LEFT JOIN contained AS c ON c.gml_id = p.gml_id
$$;


-- Features of which one names the other as joined to it, and that lie farther apart than `tied_m`, or nowhere.
CREATE OR REPLACE FUNCTION ler.distant_joints(dataset uuid, number integer, tied_m double precision)
RETURNS TABLE (seq bigint, joined bigint)
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH joint AS (
        SELECT f.seq, f.geom, r.gml_id
        FROM ler.network_feature AS f
        CROSS JOIN unnest('{startkomponent,slutkomponent,tilknyttetLedning}'::text[]) AS k (name)
        CROSS JOIN LATERAL ler.pointers(f.attributes -> k.name) AS r (gml_id)
        WHERE f.dataset_id = dataset AND ler.is_valid_in(number, f.added_in, f.removed_in)
    )
    SELECT j.seq, t.seq
    FROM joint AS j
    JOIN ler.network_feature AS t ON t.dataset_id = dataset AND t.gml_id = j.gml_id
    WHERE ler.is_valid_in(number, t.added_in, t.removed_in)
        AND (j.geom IS NULL OR t.geom IS NULL OR NOT ST_DWithin(j.geom, t.geom, tied_m))
$$;


-- Features with a place that are wider across than `wide_mm`.
CREATE OR REPLACE FUNCTION ler.wide_features(dataset uuid, number integer, wide_mm double precision)
RETURNS TABLE (seq bigint)
LANGUAGE sql STABLE STRICT
AS $$
    SELECT f.seq
    FROM ler.network_feature AS f
    WHERE f.dataset_id = dataset AND f.geom IS NOT NULL AND ler.is_valid_in(number, f.added_in, f.removed_in)
        AND EXISTS (
            SELECT
            FROM unnest('{udvendigDiameter,udvendigBredde,bredde,bunddiameterbredde,bundlaengde}'::text[]) AS k (name)
            WHERE jsonb_typeof(f.attributes -> k.name) = 'number'
                AND (f.attributes ->> k.name)::double precision > wide_mm
        )
$$;


-- What lies in any of these boxes, or has one of these numbers; together what neither the rules nor the bands of lines tell
-- apart; twice what lies in two boxes. `told` is what they go by, `places` are the geometries in the plane, null of what has none. Row-level security would
-- keep the geometry index from being used (decision 3).
CREATE OR REPLACE FUNCTION ler.own_lines_in(
    dataset uuid, number integer, boxes @postgis@.geometry, numbers bigint[]
)
RETURNS TABLE (told jsonb, seqs bigint[], places @postgis@.geometry)
LANGUAGE sql STABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH near AS (
        SELECT n.*
        FROM ST_Dump(boxes) AS b
        CROSS JOIN LATERAL (
            SELECT m.*
            FROM ler.network_feature AS m
            WHERE m.geom && b.geom AND m.dataset_id = dataset AND m.owner_id = (SELECT ler.principal())
                AND ler.is_valid_in(number, m.added_in, m.removed_in)
            OFFSET 0
        ) AS n
        UNION ALL
        SELECT m.*
        FROM ler.network_feature AS m
        WHERE m.seq = ANY (numbers) AND m.dataset_id = dataset AND m.owner_id = (SELECT ler.principal())
            AND ler.is_valid_in(number, m.added_in, m.removed_in)
    ),
    line AS (
        SELECT f.feature_type, f.drawing_method, f.horizontal_accuracy, f.level,
            f.attributes -> 'type' AS type, f.attributes -> 'forsyningsart' AS served,
            f.attributes -> 'spaendingsniveau' AS voltage, f.attributes -> 'tryk' AS pressure,
            f.attributes -> 'udvendigDiameter' AS diameter, f.attributes -> 'udvendigBredde' AS outer_width,
            f.attributes -> 'bredde' AS width, f.attributes -> 'bunddiameterbredde' AS bottom_width,
            f.attributes -> 'bundlaengde' AS bottom_length,
            array_agg(f.seq ORDER BY f.seq) AS seqs, ST_Collect(ST_Force2D(f.geom) ORDER BY f.seq) AS places
        FROM near AS f
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, f.geom IS NULL
    )
    SELECT
        jsonb_build_object(
            'feature_type', l.feature_type, 'drawing_method', l.drawing_method,
            'horizontal_accuracy', l.horizontal_accuracy, 'level', l.level,
            'attributes', jsonb_strip_nulls(jsonb_build_object(
                'type', l.type, 'forsyningsart', l.served, 'spaendingsniveau', l.voltage, 'tryk', l.pressure,
                'udvendigDiameter', l.diameter, 'udvendigBredde', l.outer_width, 'bredde', l.width,
                'bunddiameterbredde', l.bottom_width, 'bundlaengde', l.bottom_length
            ))
        ),
        l.seqs, l.places
    FROM line AS l
$$;
