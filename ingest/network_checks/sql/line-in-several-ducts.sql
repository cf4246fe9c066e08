-- A line said to lie in several lines, none of which lies in another of them.
WITH holder AS (
    SELECT c.seq, c.holder
    FROM pg_temp.ler_check_contained AS c
    WHERE c.holder_kind = 'line' AND NOT EXISTS (
        SELECT
        FROM pg_temp.ler_check_contained AS inner_one
        JOIN pg_temp.ler_check_contained AS nested ON nested.seq = inner_one.holder
        WHERE inner_one.seq = c.seq AND inner_one.holder <> c.holder AND nested.holder = c.holder
    )
)
SELECT h.seq, 'indeholdtLedning' AS attribute, string_agg(f.gml_id, ', ' ORDER BY f.gml_id COLLATE "C") AS found,
    '1' AS wanted, NULL::geometry AS place
FROM holder AS h
JOIN pg_temp.ler_check_feature AS f ON f.seq = h.holder
GROUP BY h.seq
HAVING count(*) > 1
