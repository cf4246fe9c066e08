-- Who may do what now. A call is judged before it is anybody's: these functions run with the rights of the tables'
-- owner, take an organisation, and give out names of roles and scopes and nothing else of it.

-- The roles that an organisation is granted at this moment. With a place: those that it has in all of it; grants of
-- one role for areas side by side count together.
CREATE OR REPLACE FUNCTION ler.granted_roles(organisation uuid, place @postgis@.geometry DEFAULT NULL)
RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    -- Wherever it be, which is asked with each call, no area is looked at.
    IF granted_roles.place IS NULL THEN
        RETURN (
            SELECT coalesce(array_agg(DISTINCT g.role ORDER BY g.role), '{}')
            FROM ler.grant AS g
            WHERE g.organisation_id = granted_roles.organisation
                AND g.valid_from <= now() AND (g.valid_to IS NULL OR g.valid_to > now())
        );
    END IF;
    RETURN (
        SELECT coalesce(array_agg(found.role ORDER BY found.role), '{}')
        FROM (
            SELECT g.role
            FROM ler.grant AS g
            WHERE g.organisation_id = granted_roles.organisation
                AND g.valid_from <= now() AND (g.valid_to IS NULL OR g.valid_to > now())
            GROUP BY g.role
            HAVING bool_or(g.area IS NULL)
                OR ST_Covers(ST_Union(g.area), granted_roles.place)
        ) AS found
    );
END
$$;


-- Whether the organisation that acts has a role at this moment, wherever it be.
CREATE OR REPLACE FUNCTION ler.has_role(role text)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT coalesce(has_role.role = ANY (ler.granted_roles(ler.principal())), false)
$$;


-- Those who offer to act for others: anybody may know them, to give them a mandate.
CREATE OR REPLACE FUNCTION ler.providers()
RETURNS SETOF uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT DISTINCT g.organisation_id
    FROM ler.grant AS g
    WHERE g.role = 'provider' AND g.valid_from <= now() AND (g.valid_to IS NULL OR g.valid_to > now())
$$;


-- For whom a provider may act at this moment by that CVR number: what the mandates name together, and the roles of
-- the organisation that gave them, beyond which no mandate goes. No row when there is none, whoever the number
-- belongs to, and when the provider is none any more.
CREATE OR REPLACE FUNCTION ler.mandate_of(provider uuid, cvr text)
RETURNS TABLE (owner_id uuid, scopes text[], roles text[])
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT o.id, array_agg(DISTINCT named.scope ORDER BY named.scope), ler.granted_roles(o.id)
    FROM ler.organisation AS o
    JOIN ler.mandate AS m ON m.owner_id = o.id
    CROSS JOIN LATERAL unnest(m.scopes) AS named (scope)
    WHERE o.cvr = mandate_of.cvr AND m.provider_id = mandate_of.provider
        AND m.revoked_at IS NULL AND m.valid_from <= now() AND (m.valid_to IS NULL OR m.valid_to > now())
        AND 'provider' = ANY (ler.granted_roles(mandate_of.provider))
    GROUP BY o.id
$$;


-- What an organisation is called, and why it is in the register, only the operator changes: under another's name it
-- could ask, and be answered.
CREATE OR REPLACE FUNCTION ler.keep_name()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF ler.principal() <> ler.platform_operator() THEN
        RAISE EXCEPTION 'only the operator renames' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN new;
END
$$;

CREATE OR REPLACE TRIGGER keep_name
BEFORE UPDATE OF cvr, name, duties ON ler.organisation
FOR EACH ROW
WHEN (old.cvr IS DISTINCT FROM new.cvr OR old.name IS DISTINCT FROM new.name OR old.duties IS DISTINCT FROM new.duties)
EXECUTE FUNCTION ler.keep_name();


-- Changes an interest area: ends it and enters the next revision under the same number. Who was asked for the old one
-- stays asked. What is NULL stays as it was, but the contact, which is given as a whole: a person or an address.
--
--   LE404  no such area, or not yours     LE409  ended or changed since `seen`
CREATE OR REPLACE FUNCTION ler.revise_interest_area(
    area_id uuid, seen integer, utility_types text[], geom @postgis@.geometry, remark text, contact_person text,
    contact_address text, contact_email text, voluntary boolean
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    area ler.interest_area;
BEGIN
    SELECT i.* INTO area
    FROM ler.interest_area AS i
    WHERE i.id = area_id AND (i.owner_id = ler.principal() OR ler.principal() = ler.platform_operator())
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such interest area' USING ERRCODE = 'LE404';
    END IF;
    IF area.ended_at IS NOT NULL OR area.revision <> seen THEN
        RAISE EXCEPTION 'the interest area has changed' USING ERRCODE = 'LE409';
    END IF;
    UPDATE ler.interest_area AS i SET ended_at = now() WHERE i.id = area.id;
    area.id := gen_random_uuid();
    area.revision := area.revision + 1;
    area.created_at := now();
    area.utility_types := coalesce(revise_interest_area.utility_types, area.utility_types);
    area.geom := coalesce(revise_interest_area.geom, area.geom);
    area.remark := coalesce(revise_interest_area.remark, area.remark);
    area.contact_person := revise_interest_area.contact_person;
    area.contact_address := revise_interest_area.contact_address;
    area.contact_email := revise_interest_area.contact_email;
    area.voluntary := coalesce(revise_interest_area.voluntary, area.voluntary);
    INSERT INTO ler.interest_area OVERRIDING SYSTEM VALUE SELECT area.*;
    RETURN area.id;
END
$$;
