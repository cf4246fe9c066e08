-- What the requester that acts comes too near, by its requests under way and the answers that hold. Runs as ler_owner, as
-- views.sql says of lines by place. `seq` orders the pages. Distances are in metres:
--
--   zone                            no-machine, hand-dig, stand-by, notify: the nearest that the line may lie in
--   rule, limit_m, unverified       by which rule, its distance, and whether its figure was not read at the source
--   arrangement, angle_deg          parallel, crossing (with the angle), above (of a component), overhead
--   drawn_m                         from the dig to the line as it is drawn; NULL: it has no place
--   distance_min_m, distance_max_m  from outside to outside, wherever the line may lie
--   below_min_m, below_max_m        of its top below the bottom of the dig; NULL: not known
--   probability                     that it lies nearer than machines may dig
--   reasons, reason_da, reason_en   what was taken for the worst, and all of it in words
--   geom                            what of the line lies in the dig, or the shortest way to it
CREATE VIEW ler.ogc_conflict AS
SELECT
    c.id, c.seq, c.request_id, r.order_number, c.revision, c.owner_id, o.cvr AS owner_cvr, o.name AS owner_name,
    c.gml_id, c.feature_type, c.utility_type, c.danger_class, c.zone, c.rule, c.unverified, c.limit_m, c.arrangement,
    c.angle_deg, c.drawn_m, c.distance_min_m, c.distance_max_m, c.below_min_m, c.below_max_m, c.probability, c.reasons,
    c.reason_da, c.reason_en, c.geom
FROM ler.object_conflict AS c
JOIN ler.excavation_request AS r ON r.id = c.request_id
JOIN ler.owner_answer AS a ON a.id = c.answer_id AND a.replaced_at IS NULL AND a.withdrawn_at IS NULL
JOIN ler.organisation AS o ON o.id = c.owner_id
WHERE c.requester_id = (SELECT ler.principal()) AND r.requester_id = (SELECT ler.principal())
    AND r.state IN ('open', 'answered', 'complete');

GRANT SELECT ON ler.ogc_conflict TO ler_app;
