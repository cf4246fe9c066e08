-- A duct or trace says which utility types lie in it, and holds a line of another.
SELECT c.holder AS seq, 'forsyningsart' AS attribute,
    format('%%s: %%s', l.gml_id, array_to_string(l.utility_types, ', ')) AS found,
    array_to_string(h.utility_types, ' | ') AS wanted, NULL::geometry AS place
FROM pg_temp.ler_check_contained AS c
JOIN pg_temp.ler_check_feature AS h ON h.seq = c.holder
JOIN pg_temp.ler_check_feature AS l ON l.seq = c.seq
WHERE h.feature_type IN ('Foeringsroer', 'Ledningstrace')
    AND cardinality(h.utility_types) > 0 AND NOT l.utility_types <@ h.utility_types
