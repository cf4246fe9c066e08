-- Copies of one version's features for the checks: temporary tables know no row-level security, which would keep
-- the planner from every spatial index, and hold only what the rules read. In Hilbert order, so that what lies together
-- is read together; heights stay in `geom`, where an unknown one is NaN and no function of GEOS may meet it.

CREATE TEMP TABLE ler_check_feature ON COMMIT DROP AS
SELECT
    f.seq, f.line, f.gml_id, f.feature_type, t.kind,
    f.feature_type || coalesce(': ' || (f.attributes ->> 'type'), '') AS sort,
    -- Lines that may be joined to each other: a cable is not joined to the duct beside it.
    CASE f.feature_type WHEN 'Foeringsroer' THEN 'Foeringsroer: ' ELSE '' END || f.utility_type AS network,
    CASE
        WHEN jsonb_typeof(f.attributes -> 'forsyningsart') = 'array'
            THEN ARRAY(SELECT jsonb_array_elements_text(f.attributes -> 'forsyningsart'))
        WHEN f.utility_type IS NOT NULL THEN ARRAY[f.utility_type]
        ELSE '{}'::text[]
    END AS utility_types,
    coalesce(h.accuracy_m, %(unknown_accuracy_m)s) AS accuracy_m,
    coalesce(v.accuracy_m, %(unknown_accuracy_m)s) AS vertical_accuracy_m,
    -- The model gives these in millimetres.
    (f.attributes -> 'bredde')::double precision / 1000 AS width_m,
    coalesce(f.attributes -> 'udvendigDiameter', f.attributes -> 'udvendigBredde')::double precision / 1000
        AS outer_width_m,
    coalesce(f.attributes -> 'udvendigDiameter', f.attributes -> 'udvendigHoejde')::double precision / 1000
        AS outer_height_m,
    greatest(
        (f.attributes -> 'bunddiameterbredde')::double precision, (f.attributes -> 'bundlaengde')::double precision
    ) / 1000 AS chamber_m,
    f.attributes -> 'indeholderLedninger' = 'false' AS says_it_holds_none,
    f.attributes -> 'liggerILedning' = 'false' AS says_it_lies_free,
    f.attributes ? 'startkomponent' AS has_start,
    f.attributes ? 'slutkomponent' AS has_end,
    f.attributes #>> '{kontaktprofilTilTekniskeSpoergsmaal,gml_id}' AS contact_id,
    f.geom
FROM ler.staged_feature AS f
JOIN pg_temp.ler_check_type AS t ON t.feature_type = f.feature_type
LEFT JOIN pg_temp.ler_check_accuracy AS h ON h.class = f.horizontal_accuracy
LEFT JOIN pg_temp.ler_check_accuracy AS v ON v.class = f.vertical_accuracy
WHERE f.version_id = %(version)s
ORDER BY f.geom;

-- Serves the lookup of a feature by its number.
CREATE UNIQUE INDEX ON pg_temp.ler_check_feature (seq);
ANALYZE pg_temp.ler_check_feature;
