-- Which of the owners' precautions hold for the valid requests of the requester that acts, each by owner, utility type and
-- row. Runs as ler_owner, as views.sql says of lines by place. `seq` orders the pages:
--
--   priority, highest              of the row in its owner's table, 1 first; whether it is the one that is shown
--   measure_da, measure_en         what the owner asks; contact, notice_days (working days)
--   lines, gml_id, feature_type    how many lines meet the row, and the nearest
--   distance_min_m, distance_max_m of that one, from outside to outside, m: in space, and in the plane; NULL: not known
--   reasons, reason_da, reason_en  what was taken for the worst, and why it holds in words
--   geom                           what of the nearest line lies in the dig, or the shortest way to it
CREATE VIEW ler.ogc_precaution AS
SELECT
    p.id, p.seq, p.request_id, r.order_number, p.revision, p.owner_id, o.cvr AS owner_cvr, o.name AS owner_name,
    p.utility_type, p.priority, p.highest, p.measure_da, p.measure_en, p.contact, p.notice_days, p.lines, p.gml_id,
    p.feature_type, p.distance_min_m, p.distance_max_m, p.reasons, p.reason_da, p.reason_en, p.geom
FROM ler.precaution_hit AS p
JOIN ler.excavation_request AS r ON r.id = p.request_id
JOIN ler.owner_answer AS a ON a.id = p.answer_id AND a.replaced_at IS NULL AND a.withdrawn_at IS NULL
JOIN ler.organisation AS o ON o.id = p.owner_id
WHERE p.requester_id = (SELECT ler.principal()) AND r.requester_id = (SELECT ler.principal())
    AND r.state IN ('open', 'answered', 'complete');

GRANT SELECT ON ler.ogc_precaution TO ler_app;
