-- What differs between two states of a network. As the caller: everybody compares what its policies show it.
--
-- Inlined into the query that calls them; they set nothing, so who calls them lets two networks be joined by hashing
-- (SET LOCAL enable_nestloop = off): of what was staged a moment ago the planner knows nothing.

-- A feature whose geometry differs is moved, whatever else differs; one of which something else differs is changed.
CREATE OR REPLACE FUNCTION ler.kind_of_change(
    old_id text, new_id text, old_geom @postgis@.geometry, new_geom @postgis@.geometry
)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN old_id IS NULL THEN 'added'
        WHEN new_id IS NULL THEN 'removed'
        WHEN old_geom::bytea IS DISTINCT FROM new_geom::bytea THEN 'moved'
        ELSE 'changed'
    END
$$;


-- What publishing a staged version would change: `old_geom` NULL for what is added, `new_geom` for what is removed.
CREATE OR REPLACE FUNCTION ler.staged_changes(staged uuid)
RETURNS TABLE (
    gml_id text,
    feature_type text,
    kind text,
    old_geom @postgis@.geometry,
    new_geom @postgis@.geometry
)
LANGUAGE sql STABLE
AS $$
    SELECT
        coalesce(s.gml_id, f.gml_id), coalesce(s.feature_type, f.feature_type),
        ler.kind_of_change(f.gml_id, s.gml_id, f.geom, s.geom), f.geom, s.geom
    FROM (SELECT * FROM ler.staged_feature AS s WHERE s.version_id = staged) AS s
    FULL JOIN (
        SELECT *
        FROM ler.network_feature AS f
        WHERE f.removed_in IS NULL
            AND f.dataset_id = (SELECT v.dataset_id FROM ler.network_version AS v WHERE v.id = staged)
    ) AS f ON f.gml_id = s.gml_id
    WHERE f.content_hash IS DISTINCT FROM s.content_hash
$$;


-- What differs between two published versions of a dataset, by their numbers.
CREATE OR REPLACE FUNCTION ler.version_changes(dataset uuid, old_number integer, new_number integer)
RETURNS TABLE (
    gml_id text,
    feature_type text,
    kind text,
    old_geom @postgis@.geometry,
    new_geom @postgis@.geometry
)
LANGUAGE sql STABLE
AS $$
    SELECT
        coalesce(n.gml_id, o.gml_id), coalesce(n.feature_type, o.feature_type),
        ler.kind_of_change(o.gml_id, n.gml_id, o.geom, n.geom), o.geom, n.geom
    FROM (
        SELECT *
        FROM ler.network_feature AS f
        WHERE f.dataset_id = dataset AND ler.is_valid_in(new_number, f.added_in, f.removed_in)
    ) AS n
    FULL JOIN (
        SELECT *
        FROM ler.network_feature AS f
        WHERE f.dataset_id = dataset AND ler.is_valid_in(old_number, f.added_in, f.removed_in)
    ) AS o ON o.gml_id = n.gml_id
    WHERE o.content_hash IS DISTINCT FROM n.content_hash
$$;


-- The version that answered requests at a time: NULL for an owner that had published none, or none that the caller sees.
CREATE OR REPLACE FUNCTION ler.version_at(owner uuid, at timestamptz)
RETURNS integer
LANGUAGE sql STABLE
AS $$
    SELECT v.number
    FROM ler.network_version AS v
    JOIN ler.network_dataset AS d ON d.id = v.dataset_id AND d.current_version_id IS NOT NULL
    WHERE v.owner_id = owner AND v.published_at <= at
    ORDER BY v.published_at DESC
    LIMIT 1
$$;


-- The dataset and number of a version whose features can be read.
--
--   LE404  no such version was published, or not yours     LE410  its features were purged
CREATE OR REPLACE FUNCTION ler.readable_version(owner uuid, wanted integer)
RETURNS TABLE (dataset_id uuid, number integer)
LANGUAGE plpgsql STABLE ROWS 1
AS $$
#variable_conflict use_column
DECLARE
    kept ler.network_version;
BEGIN
    SELECT v.* INTO kept
    FROM ler.network_version AS v
    JOIN ler.network_dataset AS d ON d.id = v.dataset_id AND d.current_version_id IS NOT NULL
    WHERE v.owner_id = owner AND v.number = wanted AND v.published_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such version' USING ERRCODE = 'LE404';
    ELSIF kept.purged_at IS NOT NULL THEN
        RAISE EXCEPTION 'the version was purged' USING ERRCODE = 'LE410';
    END IF;
    RETURN QUERY SELECT kept.dataset_id, kept.number;
END
$$;


-- An owner's network as it was in a version, or at a time. As the caller: nobody reads what its policies do not show.
-- Raises what ler.readable_version raises: a network that cannot be read is not an empty one.
CREATE OR REPLACE FUNCTION ler.network_as_of(owner uuid, version integer)
RETURNS SETOF ler.network_feature
LANGUAGE sql STABLE
AS $$
    SELECT f.*
    FROM ler.readable_version(owner, version) AS v
    JOIN ler.network_feature AS f
        ON f.dataset_id = v.dataset_id AND ler.is_valid_in(v.number, f.added_in, f.removed_in)
$$;

CREATE OR REPLACE FUNCTION ler.network_as_of(owner uuid, at timestamptz)
RETURNS SETOF ler.network_feature
LANGUAGE sql STABLE
AS $$
    SELECT f.* FROM ler.network_as_of(owner, ler.version_at(owner, at)) AS f
$$;
