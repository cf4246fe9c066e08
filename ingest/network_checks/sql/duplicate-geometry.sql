-- At exactly the place of another feature of its sort, but told otherwise.
SELECT s.seq, 'geometri' AS attribute, s.first_at_the_place AS found, NULL AS wanted, NULL::geometry AS place
FROM pg_temp.ler_check_same AS s
WHERE s.gml_id = s.first_with_the_content AND s.gml_id <> s.first_at_the_place
