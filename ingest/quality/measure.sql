-- The figures of one staged version by feature type, one row a figure. The kinds are those of the network checks.
WITH feature AS (
    SELECT
        f.feature_type, t.kind, ST_Length2D(f.geom) AS length_m, f.geom IS NOT NULL AS placed,
        f.horizontal_accuracy IS NOT NULL AS has_horizontal,
        f.vertical_accuracy IS NOT NULL AS has_vertical,
        -- A length in space is NaN as soon as one height is.
        f.indicative_depth_mm IS NOT NULL OR ST_3DLength(f.geom) <> 'NaN' AS has_depth,
        f.established IS NOT NULL AND NOT starts_with(f.established, 'before ') AS has_established,
        CASE t.kind
            WHEN 'trace' THEN f.attributes ? 'bredde'
            ELSE f.attributes ? 'udvendigDiameter' OR f.attributes ?& '{udvendigBredde,udvendigHoejde}'
        END AS has_size,
        f.attributes ? 'udvendigMateriale' AS has_material,
        (
            SELECT coalesce(sum(
                CASE jsonb_typeof(f.attributes -> a.name)
                    WHEN 'array' THEN jsonb_array_length(f.attributes -> a.name)
                    ELSE 1
                END
            ), 0)
            FROM unnest(%(reference_attributes)s::text[]) AS a (name)
            WHERE f.attributes ? a.name
        ) AS references_given,
        n.broken_references, n.seq IS NULL AS is_clean
    FROM ler.staged_feature AS f
    JOIN (SELECT * FROM unnest(%(types)s::text[], %(kinds)s::text[]) AS k (feature_type, kind)) AS t
        ON t.feature_type = f.feature_type
    LEFT JOIN (
        SELECT g.seq, count(*) FILTER (WHERE starts_with(g.code, 'reference-')) AS broken_references
        FROM pg_temp.ler_network_finding AS g
        GROUP BY g.seq
    ) AS n ON n.seq = f.seq
    WHERE f.version_id = %(version)s
)
SELECT
    f.feature_type, count(*) AS features, coalesce(sum(f.length_m), 0) AS length_m, v.figure,
    coalesce(sum(v.base), 0) AS base, coalesce(sum(v.known), 0) AS known,
    coalesce(sum(f.length_m) FILTER (WHERE v.base > 0), 0) AS base_m,
    coalesce(sum(f.length_m) FILTER (WHERE v.known > 0), 0) AS known_m
FROM feature AS f
CROSS JOIN LATERAL (
    VALUES
        ('horizontal_accuracy', (f.kind <> 'component' AND f.placed)::integer, f.has_horizontal::integer),
        ('vertical_accuracy', (f.kind <> 'component' AND f.placed)::integer, f.has_vertical::integer),
        ('depth_or_height', (f.kind <> 'component' AND f.placed)::integer, f.has_depth::integer),
        ('established', (f.kind <> 'component')::integer, f.has_established::integer),
        ('outer_size', (f.kind <> 'component')::integer, f.has_size::integer),
        ('material', (f.kind = 'line')::integer, f.has_material::integer),
        ('references', f.references_given, f.references_given - coalesce(f.broken_references, 0)),
        ('without_findings', 1, f.is_clean::integer)
) AS g (figure, base, given)
CROSS JOIN LATERAL (SELECT g.figure, g.base, CASE WHEN g.base > 0 THEN coalesce(g.given, 0) ELSE 0 END AS known) AS v
GROUP BY f.feature_type, v.figure
ORDER BY f.feature_type, v.figure
