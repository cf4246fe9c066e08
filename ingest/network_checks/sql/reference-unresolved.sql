-- No feature of the network, and no contact in one, has the gml:id that is referred to.
SELECT r.seq, r.attribute, r.target AS found, NULL AS wanted, NULL::geometry AS place
FROM pg_temp.ler_check_reference AS r
WHERE r.target_type IS NULL
