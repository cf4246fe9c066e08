-- Empty ducts near planned works, for those to whom their owners offer them.
--
-- Whether an offer holds near a work is decided by the squares of the fixed grid of sensitivity.sql: an answer depends on
-- which squares the work comes near, and never on where in a square a duct runs. Asked often and with small works, the
-- platform tells no more of a duct than the squares it runs through, unless its owner shows the place.

-- How far from a work a square still counts, and another work, m; as conflicts/windows/rules.toml has near_m.
CREATE OR REPLACE FUNCTION ler.duct_reach_m()
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 10.0;


-- The squares of the grid that are near a place, one a row. In two steps: the box of a long work holds a million squares
-- that it never comes near.
CREATE OR REPLACE FUNCTION ler.squares_near(place @postgis@.geometry)
RETURNS SETOF @postgis@.geometry
LANGUAGE sql STABLE STRICT
AS $$
    SELECT DISTINCT fine.geom
    FROM ST_SquareGrid(20 * ler.cell_m(), ST_Expand(place, ler.duct_reach_m())) AS coarse
    CROSS JOIN LATERAL ST_SquareGrid(ler.cell_m(), coarse.geom) AS fine
    WHERE ST_DWithin(place, coarse.geom, ler.duct_reach_m()) AND ST_DWithin(place, fine.geom, ler.duct_reach_m())
$$;


-- What is offered near a work to the organisation whose work it is, at most one row an owner and utilisation, and one a
-- work. Runs with the rights and the path of the functions below, which alone may call it.
--
--   kind         owner-ducts: an owner's that are there; work-offers, work-wants: of another's published work
--   ducts        how many; of an owner's, features of its network: a duct is often one from chamber to chamber
--   utilisation  of an owner's: empty, or room (in use, and not full)
--   length_m     of an owner's: how long they are together in the squares near the work, in whole sides of squares, upwards
--   geom         of an owner's: NULL unless it shows the place, and then what of them runs in those squares
--
-- Nothing is offered that may not be shown to everybody (ler.sensitive_near), that is out of operation for good, or of
-- which nobody says how much of it is used.
CREATE OR REPLACE FUNCTION ler.ducts_near(work ler.planned_work)
RETURNS TABLE (
    kind text, owner_id uuid, owner_name text, owner_cvr text, contact text, work_id uuid, ducts integer, utilisation text,
    length_m double precision, geom @postgis@.geometry
)
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE offer AS MATERIALIZED (
        -- What is offered to one by its number holds in the place of what is offered to all.
        SELECT DISTINCT ON (o.owner_id)
            o.owner_id, o.most_used, o.shows_place, who.name, who.cvr,
            coalesce(o.contact, concat_ws(', ', who.phone, who.email)) AS contact, d.id AS dataset_id, v.number
        FROM ler.duct_offer AS o
        JOIN ler.organisation AS who ON who.id = o.owner_id
        JOIN ler.network_dataset AS d ON d.owner_id = o.owner_id
        JOIN ler.network_version AS v ON v.id = d.current_version_id
        WHERE (work).ducts_wanted > 0 AND o.ended_at IS NULL AND o.owner_id <> (work).organisation_id
            AND (
                o.cvr IS NULL
                OR o.cvr = (SELECT t.cvr FROM ler.organisation AS t WHERE t.id = (work).organisation_id)
            )
        ORDER BY o.owner_id, o.cvr NULLS LAST
    ),
    -- Ducts, and what may hold ducts that have no place of their own.
    placed AS MATERIALIZED (
        SELECT f.dataset_id, f.seq, ST_Union(s.geom) AS squares
        FROM ler.squares_near((work).geom) AS s (geom)
        CROSS JOIN LATERAL (
            SELECT m.* FROM ler.network_feature AS m WHERE m.geom && s.geom OFFSET 0
        ) AS f
        JOIN offer AS o ON o.dataset_id = f.dataset_id
        WHERE EXISTS (SELECT FROM offer) AND ler.is_valid_in(o.number, f.added_in, f.removed_in)
            AND (f.feature_type = 'Foeringsroer' OR f.attributes ? 'indeholdtLedning')
            AND ST_Dimension(f.geom) = 1 AND ST_Length(ST_Intersection(ST_Force2D(f.geom), s.geom)) > 0
        GROUP BY f.dataset_id, f.seq
    ),
    -- UNION, not UNION ALL: lines that contain each other end the recursion.
    held AS (
        SELECT p.dataset_id, p.seq AS place, p.seq FROM placed AS p
        UNION
        SELECT h.dataset_id, h.place, inner_line.seq
        FROM held AS h
        JOIN offer AS o ON o.dataset_id = h.dataset_id
        CROSS JOIN LATERAL (
            SELECT m.attributes FROM ler.network_feature AS m WHERE m.dataset_id = h.dataset_id AND m.seq = h.seq OFFSET 0
        ) AS outer_line
        CROSS JOIN LATERAL ler.placeless_lines(h.dataset_id, o.number, outer_line.attributes) AS inner_line
    ),
    guarded AS MATERIALIZED (
        SELECT o.dataset_id, s.seq
        FROM offer AS o
        CROSS JOIN LATERAL (
            SELECT ST_Union(p.squares) AS squares FROM placed AS p WHERE p.dataset_id = o.dataset_id
        ) AS around
        CROSS JOIN LATERAL ler.sensitive_near(o.dataset_id, o.number, around.squares, '{}') AS s
        WHERE around.squares IS NOT NULL
            AND o.owner_id = ANY (ler.owners_with_rules(ARRAY(SELECT a.owner_id FROM offer AS a)))
    ),
    duct AS (
        SELECT o.owner_id, h.seq, part.geom,
            CASE WHEN used.share = 0 AND NOT f.attributes ? 'indeholdtLedning' THEN 'empty' ELSE 'room' END AS utilisation
        FROM held AS h
        JOIN offer AS o ON o.dataset_id = h.dataset_id
        JOIN placed AS p ON p.dataset_id = h.dataset_id AND p.seq = h.place
        CROSS JOIN LATERAL (
            SELECT m.* FROM ler.network_feature AS m WHERE m.dataset_id = h.dataset_id AND m.seq = h.seq OFFSET 0
        ) AS f
        CROSS JOIN LATERAL (
            SELECT m.geom FROM ler.network_feature AS m WHERE m.dataset_id = h.dataset_id AND m.seq = h.place OFFSET 0
        ) AS g
        CROSS JOIN LATERAL (SELECT (f.attributes ->> 'udnyttelsesgrad')::double precision) AS used (share)
        CROSS JOIN LATERAL (
            SELECT ST_CollectionExtract(ST_Intersection(ST_Force2D(g.geom), p.squares), 2)
        ) AS part (geom)
        WHERE f.feature_type = 'Foeringsroer' AND f.operational_status IS DISTINCT FROM 'permanent ude af drift'
            AND used.share <= o.most_used AND (o.most_used > 0 OR NOT f.attributes ? 'indeholdtLedning')
            -- A thing that may not be shown is not told of, nor one of which it would tell the place.
            AND NOT EXISTS (
                SELECT FROM guarded AS x WHERE x.dataset_id = h.dataset_id AND x.seq IN (h.seq, h.place)
            )
    )
    SELECT
        'owner-ducts', o.owner_id, o.name, o.cvr, o.contact, NULL::uuid, count(DISTINCT d.seq)::integer, d.utilisation,
        ceil(sum(ST_Length(d.geom)) / ler.cell_m()) * ler.cell_m(),
        CASE WHEN o.shows_place THEN ST_Multi(ST_Union(d.geom)) END
    FROM duct AS d
    JOIN offer AS o ON o.owner_id = d.owner_id
    GROUP BY o.owner_id, o.name, o.cvr, o.contact, o.shows_place, d.utilisation
    UNION ALL
    -- Who has no CVR number may be a person. Ducts are of use when they are laid before the one who wants them is done.
    SELECT
        CASE WHEN match.offers THEN 'work-offers' ELSE 'work-wants' END, who.id,
        CASE WHEN who.cvr IS NOT NULL THEN who.name END, who.cvr, w.contact, w.id,
        CASE WHEN match.offers THEN w.ducts_offered ELSE w.ducts_wanted END, NULL, NULL, w.geom
    FROM ler.planned_work AS w
    JOIN ler.organisation AS who ON who.id = w.organisation_id
    CROSS JOIN LATERAL (
        SELECT true WHERE (work).ducts_wanted > 0 AND w.ducts_offered > 0 AND w.earliest_start <= (work).latest_end
        UNION ALL
        SELECT false WHERE (work).ducts_offered > 0 AND w.ducts_wanted > 0 AND (work).earliest_start <= w.latest_end
    ) AS match (offers)
    WHERE ST_DWithin(w.geom, (work).geom, ler.duct_reach_m()) AND w.organisation_id <> (work).organisation_id
        AND w.ended_at IS NULL AND w.status <> 'draft' AND w.status IN ('planned', 'agreed', 'frozen', 'running')
    ORDER BY 1, 3, 2, 8, 6
$$;


-- What is offered near a work of the organisation that acts; nothing near a draft, one that is over, or another's.
--
-- Works of others are public; an owner's ducts are told of near what everybody can see that somebody is going to dig.
CREATE OR REPLACE FUNCTION ler.ducts_near_work(wanted uuid)
RETURNS TABLE (
    kind text, owner_id uuid, owner_name text, owner_cvr text, contact text, work_id uuid, ducts integer, utilisation text,
    length_m double precision, geom @postgis@.geometry
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT n.*
    FROM ler.planned_work AS w
    CROSS JOIN LATERAL ler.ducts_near(w) AS n
    WHERE w.id = ducts_near_work.wanted AND w.organisation_id = ler.principal() AND w.ended_at IS NULL
        AND w.status IN ('planned', 'agreed', 'frozen', 'running')
$$;
