-- A line says that it holds none and names some; or that it lies in none and is named by one. That it says yes and
-- nothing is named is no contradiction: the other line may be another owner's.
SELECT DISTINCT c.holder AS seq, 'indeholderLedninger' AS attribute, 'false' AS found, NULL AS wanted,
    NULL::geometry AS place
FROM pg_temp.ler_check_contained AS c
JOIN pg_temp.ler_check_feature AS h ON h.seq = c.holder
WHERE c.holder_kind = 'line' AND h.says_it_holds_none
UNION ALL
SELECT DISTINCT c.seq, 'liggerILedning', 'false', NULL, NULL::geometry
FROM pg_temp.ler_check_contained AS c
JOIN pg_temp.ler_check_feature AS l ON l.seq = c.seq
WHERE c.holder_kind = 'line' AND l.says_it_lies_free
