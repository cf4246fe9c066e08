-- Equal to another feature in all but identifiers and the time of registration.
SELECT s.seq, NULL AS attribute, s.first_with_the_content AS found, NULL AS wanted, NULL::geometry AS place
FROM pg_temp.ler_check_same AS s
WHERE s.gml_id <> s.first_with_the_content
