-- Who is asked. What a request asks them and what becomes of it: match.sql.

-- The interest areas that a dig area touches, and whose they are. Exact, and touching counts: who is asked is never
-- decided by a buffer, whose polygon lies inside the true distance. Shows a caller only what its policies show it.
CREATE OR REPLACE FUNCTION ler.find_owners(area @postgis@.geometry)
RETURNS TABLE (owner_id uuid, interest_area_id uuid)
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT i.owner_id, i.id
    FROM ler.interest_area AS i
    WHERE i.ended_at IS NULL AND i.geom && find_owners.area AND ST_Intersects(i.geom, find_owners.area)
$$;


-- Owners that answer here, are not among those `asked`, and have what may lie in the area by its band although no interest
-- area of theirs touches it; and of each the nearest of its areas, for which it is asked. What may not be shown to everybody
-- counts by its cells alone (ler.sensitive_near), so that no asking beside an interest area finds where it runs: what of it
-- reaches into the area has such a cell, so it need not be told apart from the rest.
CREATE OR REPLACE FUNCTION ler.find_owners_by_band(request ler.excavation_request, asked uuid[])
RETURNS TABLE (owner_id uuid, interest_area_id uuid)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
DECLARE
    area constant @postgis@.geometry := (request).area;
    unknown_m constant double precision := (request).unknown_accuracy_m;
    band constant @postgis@.geometry := ST_Expand(area, ler.widest_band_m(unknown_m));
    one record;
BEGIN
    IF unknown_m IS NULL THEN
        RETURN;
    END IF;
    FOR one IN
        SELECT d.id AS dataset, d.owner_id, v.number, nearest.id AS place,
            ler.owners_with_rules(ARRAY[d.owner_id]) <> '{}' AS guarded
        FROM (
            SELECT DISTINCT near.dataset_id
            FROM (
                SELECT m.dataset_id
                FROM ler.network_feature AS m
                WHERE m.geom && CASE
                    WHEN EXISTS (SELECT FROM ler.sensitivity_rule AS r WHERE r.ended_at IS NULL)
                        THEN ST_Expand(band, 2 * ler.cell_m())
                    ELSE band
                END
                OFFSET 0
            ) AS near
        ) AS near
        JOIN ler.network_dataset AS d ON d.id = near.dataset_id AND d.owner_id <> ALL (asked)
        JOIN ler.network_version AS v ON v.id = d.current_version_id
        CROSS JOIN LATERAL (
            SELECT i.id
            FROM ler.interest_area AS i
            WHERE i.owner_id = d.owner_id AND i.ended_at IS NULL AND i.answered_by = 'platform'
                AND ((request).utility_types IS NULL OR i.utility_types && (request).utility_types)
            ORDER BY ST_Distance(i.geom, area), i.registration_number
            LIMIT 1
        ) AS nearest
    LOOP
        IF EXISTS (
            SELECT
            FROM (SELECT m.* FROM ler.network_feature AS m WHERE m.geom && band OFFSET 0) AS n
            WHERE n.dataset_id = one.dataset AND ler.is_valid_in(one.number, n.added_in, n.removed_in)
                AND n.feature_type NOT IN ('LinearDimension', 'TextAnnotation', 'LinearAnnotation')
                AND ST_DWithin(
                    area, n.geom,
                    ler.half_band_m(
                        n.feature_type, n.horizontal_accuracy, n.drawing_method, n.attributes, n.geom, unknown_m
                    )
                )
        ) OR one.guarded AND EXISTS (
            SELECT FROM ler.sensitive_near(one.dataset, one.number, area, '{}', unknown_m) AS s
            WHERE s.cells IS NOT NULL
        ) THEN
            owner_id := one.owner_id;
            interest_area_id := one.place;
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;


-- Whom a request asks, and for which interest areas: those that its area touches, of the kinds that it asks about, and the
-- owners that answer here and have what may lie in it by its band.
CREATE OR REPLACE FUNCTION ler.whom_to_ask(request ler.excavation_request)
RETURNS TABLE (owner_id uuid, interest_area_id uuid)
LANGUAGE sql STABLE
AS $$
    WITH touched AS MATERIALIZED (
        SELECT o.owner_id, o.interest_area_id
        FROM ler.find_owners((request).area) AS o
        JOIN ler.interest_area AS i ON i.id = o.interest_area_id
        WHERE (request).utility_types IS NULL OR i.utility_types && (request).utility_types
    )
    SELECT * FROM touched
    UNION ALL
    SELECT * FROM ler.find_owners_by_band(request, ARRAY(SELECT t.owner_id FROM touched AS t))
$$;
