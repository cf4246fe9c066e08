-- What was shown before a rule on sensitive lines was made. It stays with who digs by it: a package that is taken away from a
-- dig makes it no safer. The owner is told how much it is, and may end the links by which others fetch it without a token.

-- Packages that show lines which a rule meets, of any of their revisions, as far as they may matter still: of requests that
-- are valid, and of those to whose packages links lead. What an owner answered itself, past its network here, is not looked
-- through.
CREATE OR REPLACE FUNCTION ler.packages_that_show(rule ler.sensitivity_rule)
RETURNS TABLE (package_id uuid, request_id uuid, is_valid boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH looked_at AS (
        SELECT r.id FROM ler.excavation_request AS r WHERE r.state IN ('open', 'answered', 'complete')
        UNION
        SELECT p.request_id
        FROM ler.package_link AS l
        JOIN ler.package AS p ON p.id = l.package_id
        WHERE l.expires_at > now()
    ),
    shown AS (
        SELECT DISTINCT p.request_id, p.owner_id
        FROM looked_at AS r
        JOIN ler.package_feature AS p ON p.request_id = r.id
        JOIN ler.network_version AS v ON v.id = p.version_id
        CROSS JOIN LATERAL (
            SELECT n.* FROM ler.network_feature AS n WHERE n.dataset_id = v.dataset_id AND n.seq = p.seq OFFSET 0
        ) AS f
        WHERE ((rule).owner_id IS NULL OR p.owner_id = (rule).owner_id) AND ler.rule_meets(rule, f)
    )
    SELECT DISTINCT p.id, p.request_id, r.state IN ('open', 'answered', 'complete')
    FROM shown AS s
    JOIN ler.package AS p ON p.request_id = s.request_id AND (p.owner_id IS NULL OR p.owner_id = s.owner_id)
    JOIN ler.excavation_request AS r ON r.id = p.request_id
$$;


-- A rule of the acting organisation; of the operator one for all owners, too.
--
--   LE404  no such rule, or not yours
CREATE OR REPLACE FUNCTION ler.own_rule(rule_id uuid)
RETURNS ler.sensitivity_rule
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, ler, pg_temp
AS $$
DECLARE
    rule ler.sensitivity_rule;
BEGIN
    SELECT r.* INTO rule
    FROM ler.sensitivity_rule AS r
    WHERE r.id = own_rule.rule_id AND r.ended_at IS NULL
        AND coalesce(r.owner_id, ler.platform_operator()) = ler.principal();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such rule' USING ERRCODE = 'LE404';
    END IF;
    RETURN rule;
END
$$;


-- How many valid requests were shown lines that an own rule meets, how many packages of theirs show them, and how many links
-- lead to packages that do, of requests that are over, too.
CREATE OR REPLACE FUNCTION ler.shown_despite(rule_id uuid)
RETURNS TABLE (requests bigint, packages bigint, links bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT count(DISTINCT p.request_id) FILTER (WHERE p.is_valid), count(DISTINCT p.package_id) FILTER (WHERE p.is_valid),
        count(l.id)
    FROM ler.packages_that_show(ler.own_rule(shown_despite.rule_id)) AS p
    LEFT JOIN ler.package_link AS l
        ON l.package_id = p.package_id AND l.expires_at > now() AND NOT ler.is_ended(l.token_id)
$$;


-- Ends the links that lead to packages which show lines that an own rule meets, and tells who made them; returns their
-- number.
CREATE OR REPLACE FUNCTION ler.end_links_despite(rule_id uuid)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    rule constant ler.sensitivity_rule := ler.own_rule(end_links_despite.rule_id);
    ended bigint := 0;
    one record;
BEGIN
    FOR one IN
        WITH gone AS (
            DELETE FROM ler.package_link AS l
            USING ler.packages_that_show(rule) AS p
            WHERE l.package_id = p.package_id AND l.expires_at > now() AND NOT ler.is_ended(l.token_id)
            RETURNING l.organisation_id, p.request_id
        )
        SELECT g.organisation_id, g.request_id, count(*) AS links FROM gone AS g GROUP BY 1, 2 ORDER BY 1, 2
    LOOP
        ended := ended + one.links;
        PERFORM ler.tell(
            one.organisation_id, 'package.links_ended', one.request_id, rule.owner_id, jsonb_build_object('links', one.links)
        );
    END LOOP;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (ler.principal(), 'owner:sensitivity_rule:end_links', rule.id, jsonb_build_object('links', ended));
    RETURN ended;
END
$$;
