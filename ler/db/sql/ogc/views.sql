-- What the collections of the OGC API read. Two kinds of view:
--
--   security_invoker   the policies of the tables decide, as everywhere else
--   others             run as ler_owner, for whom policies fold away, and say themselves whose rows they show. Only for
--                      lines by place: a policy is asked before a spatial condition, which then has no index (1 million
--                      lines: 600-900 ms instead of 4). Only our own statements read them, so that no function of a
--                      caller can look at rows before the condition does.
--
-- `id` names a feature, the columns of the key order the pages (`geoapi/ogc/collections.toml`).

-- The own network, as the transaction has pinned it (ler.open_reading); nothing where it has not.
CREATE VIEW ler.ogc_network AS
SELECT f.gml_id AS id, f.*
FROM ler.network_feature AS f
WHERE f.owner_id = (SELECT ler.principal())
    AND f.dataset_id = (SELECT nullif(current_setting('ler.pinned_dataset', true), '')::uuid)
    -- ler.is_valid_in, written out: with a query among its arguments it is called for each row (5 microseconds).
    AND f.added_in <= (SELECT nullif(current_setting('ler.pinned', true), '')::integer)
    AND (f.removed_in IS NULL OR f.removed_in > (SELECT nullif(current_setting('ler.pinned', true), '')::integer));

-- What was delivered to the requester that acts, of its requests under way, by the answers that hold.
CREATE VIEW ler.ogc_package_feature AS
SELECT
    f.answer_id::text || '.' || f.seq AS id, r.order_number, o.cvr AS owner_cvr, o.name AS owner_name,
    a.answered_at, f.*
FROM ler.excavation_request AS r
JOIN ler.owner_answer AS a ON a.request_id = r.id AND a.replaced_at IS NULL AND a.withdrawn_at IS NULL
JOIN ler.package_feature AS f ON f.request_id = r.id AND f.answer_id = a.id
JOIN ler.organisation AS o ON o.id = f.owner_id
WHERE r.requester_id = (SELECT ler.principal()) AND f.requester_id = (SELECT ler.principal())
    AND r.state IN ('open', 'answered', 'complete');

CREATE VIEW ler.ogc_request WITH (security_invoker = true) AS
SELECT r.*, r.area AS geom
FROM ler.excavation_request AS r
WHERE r.requester_id = (SELECT ler.principal()) AND r.state <> 'erased';

CREATE VIEW ler.ogc_interest_area WITH (security_invoker = true) AS
SELECT i.*, o.cvr AS owner_cvr, o.name AS owner_name
FROM ler.interest_area AS i
JOIN ler.organisation AS o ON o.id = i.owner_id
WHERE i.ended_at IS NULL;

CREATE VIEW ler.ogc_dataset WITH (security_invoker = true) AS
SELECT
    d.id, d.name, d.created_at, o.cvr AS owner_cvr, o.name AS owner_name, v.number, v.published_at, v.model_version,
    v.feature_count, v.source_name,
    (SELECT ST_Envelope(ST_Collect(ST_Envelope(i.geom))) FROM ler.interest_area AS i
        WHERE i.owner_id = d.owner_id AND i.ended_at IS NULL) AS geom
FROM ler.network_dataset AS d
JOIN ler.organisation AS o ON o.id = d.owner_id
JOIN ler.network_version AS v ON v.id = d.current_version_id;

CREATE VIEW ler.ogc_quality WITH (security_invoker = true) AS
SELECT
    v.id, v.number, v.published_at, v.state, v.feature_count, q.score, q.figures, NULL::@postgis@.geometry AS geom
FROM ler.network_quality AS q
JOIN ler.network_version AS v ON v.id = q.version_id
WHERE v.published_at IS NOT NULL;

CREATE VIEW ler.ogc_damage WITH (security_invoker = true) AS
SELECT d.*, d.place AS geom
FROM ler.damage AS d
WHERE d.withdrawn_at IS NULL;

CREATE VIEW ler.ogc_deviation WITH (security_invoker = true) AS
SELECT d.*
FROM ler.deviation AS d
WHERE d.state <> 'withdrawn';

GRANT SELECT ON
    ler.ogc_network, ler.ogc_package_feature, ler.ogc_request, ler.ogc_interest_area, ler.ogc_dataset, ler.ogc_quality,
    ler.ogc_damage, ler.ogc_deviation
    TO ler_app;
GRANT EXECUTE ON FUNCTION ler.open_reading(text, text, text[], text, integer),
    ler.touch_token(uuid) TO ler_app;
