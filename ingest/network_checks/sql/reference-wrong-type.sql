-- What is referred to is there, but of a type to which the attribute may not point.
SELECT r.seq, r.attribute, format('#%%s: %%s', r.target, r.target_type) AS found, w.wanted, NULL::geometry AS place
FROM pg_temp.ler_check_reference AS r
JOIN pg_temp.ler_check_wanted AS w ON w.feature_type = r.feature_type AND w.attribute = r.attribute
WHERE r.target_type IS NOT NULL AND r.target_type <> ALL (w.allowed)
