-- What of a geometry lies inside a dig area, with the heights that are known and no others.
--
-- ST_Intersection invents heights: of 'LINESTRING Z (0 0 1,10 0 NaN,20 0 5)' it makes height 3 for the vertex whose
-- height nobody knows, and it nodes and merges lines that cross or overlap themselves. So overlay is asked only where
-- a single flat segment or outline is cut, and every height comes from the owner's own vertices.
--
-- PostGIS is named with its schema instead of by a SET search_path clause, which costs 15 us a call (measured).

-- Lengths below this are rounding, not geometry: 0.1 um, where coordinates of 6,000,000 m have steps of 1 nm.
CREATE OR REPLACE FUNCTION ler.clip_tolerance_m()
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1e-7::double precision;


-- Whether the area covers the geometry. ST_Covers alone holds that it covers lines without length in the plane wherever
-- they lie in its bounding box, a riser 20 cm outside for one (measured: GEOS 3.11, when it is asked for the first
-- time and has not prepared the area). Covering a geometry means to cover its vertices, so both must agree.
-- Neither STRICT nor with a path of its own, so that it is inlined.
CREATE OR REPLACE FUNCTION ler.covers(area @postgis@.geometry, geom @postgis@.geometry)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT @postgis@.ST_Covers(area, geom) AND @postgis@.ST_Covers(area, @postgis@.ST_Points(geom))
$$;


-- Where the lines of a collection begin and end on a segment, as shares of its length, in order along it.
CREATE OR REPLACE FUNCTION ler.shares_of(segment @postgis@.geometry, lines @postgis@.geometry)
RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(s.share ORDER BY s.share), '{}')
    FROM @postgis@.ST_Dump(lines) AS d
    CROSS JOIN LATERAL (
        VALUES
            (@postgis@.ST_LineLocatePoint(segment, @postgis@.ST_StartPoint(d.geom))),
            (@postgis@.ST_LineLocatePoint(segment, @postgis@.ST_EndPoint(d.geom)))
    ) AS s (share)
    WHERE @postgis@.ST_Dimension(d.geom) = 1
$$;


-- The parts of one LineString inside the area, in order and direction, cut segment by segment. Original vertices keep
-- their exact x, y and z; a cut point gets its height from its own segment, NaN when one end is unknown.
CREATE OR REPLACE FUNCTION ler.clip_line(line @postgis@.geometry, area @postgis@.geometry)
RETURNS @postgis@.geometry[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    tolerance_m constant double precision := ler.clip_tolerance_m();
    parts @postgis@.geometry[] := '{}'; -- finished parts
    run @postgis@.geometry[] := '{}';   -- consecutive pieces of the part being built
    is_open boolean := false;           -- the run reaches the end of the segment before this one
    segment @postgis@.geometry;
    inside @postgis@.geometry;
    length_m double precision;
    from_share double precision;
    to_share double precision;
    shares double precision[];          -- from and to of what is inside, as shares of the segment, in order
    pieces double precision[];          -- the same without touches
BEGIN
    FOR segment IN SELECT s.geom FROM @postgis@.ST_DumpSegments(line) AS s LOOP
        IF ler.covers(area, segment) THEN
            pieces := '{0,1}';
        ELSIF NOT @postgis@.ST_Intersects(area, segment) THEN
            is_open := false;
            CONTINUE;
        ELSE
            length_m := @postgis@.ST_Length(segment);
            IF length_m < tolerance_m THEN
                -- Vertical, at a corner that rounding puts outside: it belongs to what came before it.
                pieces := CASE WHEN is_open THEN '{0,1}' ELSE '{}' END;
            ELSE
                inside := @postgis@.ST_Intersection(@postgis@.ST_Force2D(segment), area);
                IF @postgis@.GeometryType(inside) = 'LINESTRING' THEN
                    -- Nearly always; a query for it would take as long as the intersection.
                    from_share := @postgis@.ST_LineLocatePoint(segment, @postgis@.ST_StartPoint(inside));
                    to_share := @postgis@.ST_LineLocatePoint(segment, @postgis@.ST_EndPoint(inside));
                    shares := ARRAY[least(from_share, to_share), greatest(from_share, to_share)];
                ELSE
                    shares := ler.shares_of(segment, inside);
                END IF;
                pieces := '{}';
                FOR i IN 1 .. cardinality(shares) BY 2 LOOP
                    from_share := CASE WHEN shares[i] * length_m < tolerance_m THEN 0 ELSE shares[i] END;
                    to_share := CASE WHEN (1 - shares[i + 1]) * length_m < tolerance_m THEN 1 ELSE shares[i + 1] END;
                    IF (to_share - from_share) * length_m < tolerance_m THEN
                        CONTINUE; -- a touch
                    ELSIF (from_share - pieces[cardinality(pieces)]) * length_m < tolerance_m THEN
                        pieces[cardinality(pieces)] := to_share; -- parted by a corner of the area that only touches
                    ELSE
                        pieces := pieces || ARRAY[from_share, to_share];
                    END IF;
                END LOOP;
            END IF;
        END IF;

        FOR i IN 1 .. cardinality(pieces) BY 2 LOOP
            IF NOT (is_open AND pieces[i] = 0) THEN
                IF cardinality(run) > 0 THEN
                    parts := parts || ler.joined_line(run);
                    run := '{}';
                END IF;
            END IF;
            -- Ends of the segment are taken as they are: ST_LineSubstring interpolates them too, and makes NaN of a
            -- known height when the other end is unknown.
            run := run || CASE
                WHEN pieces[i] = 0 AND pieces[i + 1] = 1 THEN segment
                ELSE @postgis@.ST_MakeLine(
                    CASE pieces[i]
                        WHEN 0 THEN @postgis@.ST_StartPoint(segment)
                        ELSE @postgis@.ST_LineInterpolatePoint(segment, pieces[i])
                    END,
                    CASE pieces[i + 1]
                        WHEN 1 THEN @postgis@.ST_EndPoint(segment)
                        ELSE @postgis@.ST_LineInterpolatePoint(segment, pieces[i + 1])
                    END
                )
            END;
            is_open := pieces[i + 1] = 1;
        END LOOP;
        is_open := is_open AND cardinality(pieces) > 0;
    END LOOP;
    RETURN parts || ler.joined_line(run);
END
$$;


-- Pieces that follow each other as one line, in an array; empty for no pieces, or for a riser that only touches.
CREATE OR REPLACE FUNCTION ler.joined_line(pieces @postgis@.geometry[])
RETURNS @postgis@.geometry[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    line @postgis@.geometry;
BEGIN
    IF cardinality(pieces) = 0 THEN
        RETURN pieces;
    END IF;
    line := CASE cardinality(pieces) WHEN 1 THEN pieces[1] ELSE @postgis@.ST_MakeLine(pieces) END;
    IF @postgis@.ST_Length(line) < ler.clip_tolerance_m() THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY[line];
END
$$;


-- The part of a Polygon or MultiPolygon inside the area. Corners of the dig area get no height.
CREATE OR REPLACE FUNCTION ler.clip_surface(surface @postgis@.geometry, area @postgis@.geometry)
RETURNS @postgis@.geometry
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    flat @postgis@.geometry := @postgis@.ST_Force2D(surface);
BEGIN
    IF NOT @postgis@.ST_IsValid(flat) THEN
        flat := @postgis@.ST_MakeValid(flat);
    END IF;
    flat := @postgis@.ST_CollectionExtract(@postgis@.ST_Intersection(flat, area), 3);
    IF @postgis@.ST_IsEmpty(flat) THEN
        RETURN NULL;
    END IF;
    RETURN (
        WITH ring AS (
            SELECT
                polygon.path[1] AS polygon_number,
                ring.path[1] AS ring_number,
                @postgis@.ST_MakeLine(
                    @postgis@.ST_SetSRID(
                        @postgis@.ST_MakePoint(
                            @postgis@.ST_X(corner.geom),
                            @postgis@.ST_Y(corner.geom),
                            ler.height_on(surface, corner.geom)
                        ),
                        @postgis@.ST_SRID(surface)
                    )
                    ORDER BY corner.path
                ) AS line
            FROM @postgis@.ST_Dump(@postgis@.ST_Multi(flat)) AS polygon,
                @postgis@.ST_DumpRings(polygon.geom) AS ring,
                @postgis@.ST_DumpPoints(ring.geom) AS corner
            GROUP BY 1, 2
        ),
        polygon AS (
            SELECT
                polygon_number,
                @postgis@.ST_MakePolygon(
                    (array_agg(line) FILTER (WHERE ring_number = 0))[1],
                    coalesce(array_agg(line ORDER BY ring_number) FILTER (WHERE ring_number > 0), '{}')
                ) AS geom
            FROM ring
            GROUP BY 1
        )
        SELECT CASE count(*)
            WHEN 1 THEN (array_agg(geom))[1]
            ELSE @postgis@.ST_Collect(geom ORDER BY polygon_number)
        END
        FROM polygon
    );
END
$$;


-- The height that the outline of a surface gives to a place: that of its vertex there, or interpolated on its segment
-- there; NaN when the place is not on the outline, when an end is unknown, or when the outline has two heights there.
CREATE OR REPLACE FUNCTION ler.height_on(surface @postgis@.geometry, place @postgis@.geometry)
RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    WITH vertex AS (
        SELECT @postgis@.ST_Z(v.geom) AS z
        FROM @postgis@.ST_DumpPoints(surface) AS v
        WHERE @postgis@.ST_X(v.geom) = @postgis@.ST_X(place) AND @postgis@.ST_Y(v.geom) = @postgis@.ST_Y(place)
    ),
    segment AS (
        SELECT
            @postgis@.ST_Z(@postgis@.ST_StartPoint(s.geom)) AS z0,
            @postgis@.ST_Z(@postgis@.ST_EndPoint(s.geom)) AS z1,
            @postgis@.ST_LineLocatePoint(s.geom, place) AS share
        FROM @postgis@.ST_DumpSegments(surface) AS s
        WHERE NOT EXISTS (SELECT FROM vertex) AND @postgis@.ST_DWithin(s.geom, place, 10 * ler.clip_tolerance_m())
    ),
    candidate AS (
        SELECT z FROM vertex
        UNION ALL
        SELECT z0 + (z1 - z0) * share FROM segment
    )
    -- 1 mm apart is rounding; NaN counts as larger than every number, so one unknown makes the difference unknown.
    SELECT CASE WHEN max(z) - min(z) <= 0.001 THEN max(z) ELSE 'NaN'::double precision END
    FROM candidate
$$;


-- What of `geom` lies inside `area`, or NULL when nothing does; a line of some length that only touches the area in
-- points is not inside, a point on its edge is.
--
--   wholly inside or on the edge    the geometry itself, bit for bit
--   LineString                      LineString, or MultiLineString when it leaves and comes back
--   several in one                  member by member, in order; what was several stays several
--   without heights                 heights are unknown: NaN
CREATE OR REPLACE FUNCTION ler.clip(geom @postgis@.geometry, area @postgis@.geometry)
RETURNS @postgis@.geometry
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    parts @postgis@.geometry[] := '{}';
    part @postgis@.geometry;
    member @postgis@.geometry;
BEGIN
    IF @postgis@.ST_Zmflag(geom) <> 2 THEN
        geom := @postgis@.ST_Force3DZ(geom, 'NaN');
    END IF;
    IF ler.covers(area, geom) THEN
        RETURN geom;
    ELSIF NOT @postgis@.ST_Intersects(area, geom) THEN
        RETURN NULL;
    END IF;
    CASE @postgis@.GeometryType(geom)
        WHEN 'LINESTRING' THEN
            parts := ler.clip_line(geom, area);
            RETURN CASE cardinality(parts)
                WHEN 0 THEN NULL
                WHEN 1 THEN parts[1]
                ELSE @postgis@.ST_Collect(parts)
            END;
        WHEN 'POLYGON' THEN
            RETURN ler.clip_surface(geom, area);
        WHEN 'MULTIPOLYGON' THEN
            RETURN @postgis@.ST_Multi(ler.clip_surface(geom, area));
        WHEN 'MULTILINESTRING', 'MULTIPOINT', 'GEOMETRYCOLLECTION' THEN
            FOR i IN 1 .. @postgis@.ST_NumGeometries(geom) LOOP
                member := @postgis@.ST_GeometryN(geom, i);
                IF ler.covers(area, member) THEN
                    parts := parts || member;
                ELSIF @postgis@.GeometryType(member) = 'LINESTRING' THEN
                    parts := parts || ler.clip_line(member, area);
                ELSE
                    part := ler.clip(member, area);
                    IF part IS NOT NULL THEN
                        parts := parts || part;
                    END IF;
                END IF;
            END LOOP;
            IF cardinality(parts) = 0 THEN
                RETURN NULL;
            ELSIF @postgis@.GeometryType(geom) = 'GEOMETRYCOLLECTION' THEN
                RETURN @postgis@.ST_ForceCollection(@postgis@.ST_Collect(parts));
            END IF;
            RETURN @postgis@.ST_Multi(@postgis@.ST_Collect(parts));
        ELSE
            RAISE EXCEPTION 'a % cannot be clipped', @postgis@.GeometryType(geom) USING ERRCODE = 'LE422';
    END CASE;
END
$$;
