-- Packages: who calls a worker to make them, what is left to make, and how they are entered.

-- Puts a job about a request on the queue, in the transaction of the change it is about; a job of that kind that waits
-- already is enough. Only functions and triggers of ours call this. The path is the queue's, whose functions name their
-- tables without a schema.
CREATE OR REPLACE FUNCTION ler.queue_request(request_id uuid, task text DEFAULT 'build_packages')
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, queue, pg_temp
AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        CASE task WHEN 'build_owner_packages' THEN 'owner-packages' ELSE 'requests' END,
        task, 0, NULL, task || ':' || request_id,
        jsonb_build_object('request_id', request_id), now()
    )::procrastinate_job_to_defer_v1]);
    RETURN true;
EXCEPTION
    WHEN unique_violation THEN
        RETURN false;
END
$$;


-- Whatever changes what a package says moves the request's revision, and so calls for the package.
CREATE OR REPLACE FUNCTION ler.call_for_package()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
BEGIN
    PERFORM ler.queue_request(NEW.id);
    RETURN NULL;
END
$$;

-- At the very end of the transaction: a worker that takes a job which waited before then finds the change committed, or
-- so soon that the next look finds it.
CREATE CONSTRAINT TRIGGER call_for_package
AFTER UPDATE OF revision ON ler.excavation_request
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.revision > OLD.revision AND NEW.state NOT IN ('cancelled', 'erased'))
EXECUTE FUNCTION ler.call_for_package();


-- Calls a worker to make a lost or damaged package again, that the acting organisation may see.
--
--   LE404  no such package, or not yours
CREATE OR REPLACE FUNCTION ler.call_for_mending(package_id uuid)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    request uuid;
BEGIN
    SELECT p.request_id INTO request
    FROM ler.package AS p
    JOIN ler.excavation_request AS r ON r.id = p.request_id
    WHERE p.id = call_for_mending.package_id AND ler.principal() IN (r.requester_id, p.owner_id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such package' USING ERRCODE = 'LE404';
    END IF;
    RETURN ler.queue_request(request, 'mend_packages');
END
$$;


-- Requests whose packages do not say yet what they should, the oldest first: what the sweep calls for.
CREATE OR REPLACE FUNCTION ler.requests_to_pack()
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT r.id
    FROM ler.excavation_request AS r
    WHERE r.packed_revision < r.revision AND r.state NOT IN ('cancelled', 'erased')
    ORDER BY r.order_number
$$;


-- Calls for the packages that are left to make; returns how many requests were called for anew.
CREATE OR REPLACE FUNCTION ler.call_for_packages()
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT count(*) FILTER (WHERE ler.queue_request(r)) FROM ler.requests_to_pack() AS r
$$;


-- Calls for the owners' own packages of the request that the job is about, when they are left to make.
CREATE OR REPLACE FUNCTION ler.call_for_owner_packages()
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT coalesce((
        SELECT ler.queue_request(r.id, 'build_owner_packages')
        FROM ler.excavation_request AS r
        WHERE r.id = ler.request_scope() AND r.packed_revision < r.revision AND r.state NOT IN ('cancelled', 'erased')
    ), false)
$$;


-- Tells the operator that the packages of a request cannot be made, once for each of its revisions; false when that was
-- told or is over. It is no notice of the request: the requester is told when there is something to have.
CREATE OR REPLACE FUNCTION ler.tell_of_stuck_packages(request_id uuid)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    facts jsonb;
BEGIN
    -- Its row is locked, so that of two workers one tells.
    SELECT jsonb_build_object('order_number', r.order_number, 'request_id', r.id, 'revision', r.revision) INTO facts
    FROM ler.excavation_request AS r
    WHERE r.id = tell_of_stuck_packages.request_id AND r.packed_revision < r.revision
    FOR NO KEY UPDATE;
    IF facts IS NULL OR EXISTS (
        SELECT FROM ler.notice AS n
        WHERE n.audience_id = ler.platform_operator() AND n.kind = 'package.stuck' AND n.data @> facts
    ) THEN
        RETURN false;
    END IF;
    PERFORM ler.tell(ler.platform_operator(), 'package.stuck', NULL, NULL, facts);
    RETURN true;
END
$$;


-- The requests whose newest packages ought to be in the store, with what they are kept under.
CREATE OR REPLACE FUNCTION ler.packages_kept(after bigint, most integer)
RETURNS TABLE (order_number bigint, request_id uuid, sha256 text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT r.order_number, r.id, p.sha256
    FROM (
        SELECT r.id, r.order_number
        FROM ler.excavation_request AS r
        WHERE r.order_number > packages_kept.after AND r.packed_revision > 0 AND r.state <> 'erased'
        ORDER BY r.order_number
        LIMIT packages_kept.most
    ) AS r
    JOIN ler.package AS p ON p.request_id = r.id
    ORDER BY r.order_number
$$;


-- Enters packages of a request's revision, each once; `finished` says that there is no other to make. Only for the
-- request that the job is about. Returns what came of it: 'entered'; 'stale' when the request has moved on since, so
-- that another package is due; 'over' when nobody wants one any more.
CREATE OR REPLACE FUNCTION ler.enter_packages(request_id uuid, revision integer, packages jsonb, finished boolean)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted constant uuid := enter_packages.request_id;
    made_of constant integer := enter_packages.revision;
    request ler.excavation_request;
BEGIN
    IF wanted IS DISTINCT FROM ler.request_scope() THEN
        RAISE EXCEPTION 'another request' USING ERRCODE = 'LE404';
    END IF;
    -- Before everything else: cancelling, answering and entering take turns here.
    SELECT r.* INTO request FROM ler.excavation_request AS r WHERE r.id = wanted FOR NO KEY UPDATE;
    IF request.state IN ('cancelled', 'erased') THEN
        RETURN 'over';
    ELSIF request.revision <> made_of THEN
        RETURN 'stale';
    END IF;
    WITH entered AS (
        INSERT INTO ler.package (
            request_id, owner_id, revision, file_name, sha256, size_bytes, feature_count, manifest, recipe,
            verification_code
        )
        SELECT
            wanted, p.owner_id, made_of, p.file_name, p.sha256, p.size_bytes, p.feature_count, p.manifest, p.recipe,
            p.manifest ->> 'verification_code'
        FROM jsonb_to_recordset(enter_packages.packages) AS p (
            owner_id uuid, file_name text, sha256 text, size_bytes bigint, feature_count integer, manifest jsonb,
            recipe jsonb
        )
        ON CONFLICT DO NOTHING
        RETURNING file_name, sha256, owner_id
    )
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    SELECT NULL, 'worker:package:add', wanted,
        jsonb_build_object(
            'file_name', e.file_name, 'sha256', e.sha256, 'owner_id', e.owner_id, 'revision', made_of
        )
    FROM entered AS e;
    IF finished THEN
        UPDATE ler.excavation_request AS r SET packed_revision = made_of WHERE r.id = wanted;
    END IF;
    RETURN 'entered';
END
$$;


-- Says that a package was made again from what it was made of. With other versions of our libraries or another key the
-- same content may be packed otherwise: then the package goes by its new digest, and the trail tells both. Its code stays
-- the one that was printed first.
CREATE OR REPLACE FUNCTION ler.enter_mended(package_id uuid, sha256 text, size_bytes bigint, manifest jsonb)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    before text;
    request uuid;
BEGIN
    SELECT p.sha256, p.request_id INTO before, request
    FROM ler.package AS p
    WHERE p.id = enter_mended.package_id AND p.request_id = ler.request_scope()
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such package' USING ERRCODE = 'LE404';
    END IF;
    IF before <> enter_mended.sha256 THEN
        UPDATE ler.package AS p
        SET sha256 = enter_mended.sha256, size_bytes = enter_mended.size_bytes, manifest = enter_mended.manifest
        WHERE p.id = enter_mended.package_id;
    END IF;
    INSERT INTO ler.audit_event (actor, action, object_id, details)
    VALUES (
        NULL, 'worker:package:mend', request,
        jsonb_build_object('package_id', enter_mended.package_id, 'sha256', enter_mended.sha256, 'before', before)
    );
END
$$;


-- Whether the platform delivered a package, by its code or its digest, for anybody who holds it: nothing of whose it is
-- or of what it tells. An owner's package is newest until that owner's answers change.
CREATE OR REPLACE FUNCTION ler.find_delivered(code text, digest text)
RETURNS TABLE (consolidated boolean, revision integer, made_at timestamptz, complete boolean, newest boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT
        p.owner_id IS NULL,
        p.revision,
        p.created_at,
        (p.manifest ->> 'complete')::boolean,
        NOT EXISTS (
            SELECT FROM ler.package AS n
            WHERE n.request_id = p.request_id AND n.owner_id IS NOT DISTINCT FROM p.owner_id AND n.revision > p.revision
        )
    FROM ler.package AS p
    WHERE p.verification_code = find_delivered.code OR p.sha256 = find_delivered.digest
    ORDER BY p.revision DESC
    LIMIT 1
$$;


-- Who fetched a package, the newest first, for its requester; for the owner whose package it is, who fetched that or a
-- package of all owners that held its answers, too.
--
--   LE404  no such package, or not yours
CREATE OR REPLACE FUNCTION ler.package_downloads(wanted_id uuid, most integer)
RETURNS TABLE (
    at timestamptz, action text, actor uuid, account_id uuid, provider_id uuid, package_id uuid, revision integer,
    consolidated boolean, part text, link_id text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted ler.package;
BEGIN
    SELECT p.* INTO wanted
    FROM ler.package AS p
    JOIN ler.excavation_request AS r ON r.id = p.request_id
    WHERE p.id = package_downloads.wanted_id AND ler.principal() IN (r.requester_id, p.owner_id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such package' USING ERRCODE = 'LE404';
    END IF;
    RETURN QUERY
    SELECT e.at, e.action, e.actor, e.account_id, e.provider_id, p.id, p.revision, p.owner_id IS NULL,
        e.details ->> 'range', e.details ->> 'link_id'
    FROM ler.package AS p
    JOIN ler.audit_event AS e ON e.object_id = p.id AND e.action LIKE '%:package:download'
    WHERE p.request_id = wanted.request_id AND (
        p.id = wanted.id
        OR wanted.owner_id = ler.principal()
            AND (p.owner_id = wanted.owner_id OR p.owner_id IS NULL AND p.revision >= wanted.revision)
    )
    ORDER BY e.at DESC, e.id
    LIMIT most;
END
$$;


-- What was delivered of the acting owner's data: its own packages of the requests that it was asked last, `most` of these,
-- with who asked. Of the requests before a place when one is given.
CREATE OR REPLACE FUNCTION ler.deliveries_of_me(before timestamptz, before_id uuid, most integer)
RETURNS TABLE (
    request_id uuid, owner_request_ids uuid[], order_number bigint, asked_at timestamptz, requester_name text,
    period_from date, period_to date, purpose text, package_id uuid, revision integer, made_at timestamptz,
    sha256 text, size_bytes bigint, feature_count integer
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH asked AS (
        SELECT q.request_id, q.created_at, array_agg(q.id ORDER BY q.id) AS ids
        FROM ler.owner_request AS q
        WHERE q.owner_id = (SELECT ler.principal())
            AND (
                deliveries_of_me.before IS NULL
                OR (q.created_at, q.request_id) < (deliveries_of_me.before, deliveries_of_me.before_id)
            )
            AND EXISTS (SELECT FROM ler.package AS p WHERE p.request_id = q.request_id AND p.owner_id = q.owner_id)
        GROUP BY q.created_at, q.request_id
        ORDER BY q.created_at DESC, q.request_id DESC
        LIMIT most
    )
    SELECT
        a.request_id, a.ids, r.order_number, a.created_at,
        -- A private person may wish not to be named.
        CASE WHEN o.anonymous THEN 'Privatperson' ELSE o.name END,
        r.period_from, r.period_to, r.purpose, p.id, p.revision, p.created_at, p.sha256, p.size_bytes, p.feature_count
    FROM asked AS a
    JOIN ler.excavation_request AS r ON r.id = a.request_id
    JOIN ler.organisation AS o ON o.id = r.requester_id
    JOIN ler.package AS p ON p.request_id = a.request_id AND p.owner_id = (SELECT ler.principal())
    ORDER BY a.created_at DESC, a.request_id DESC, p.revision DESC
$$;


-- Keeps a link to a package of the acting organisation, made by one of its tokens; returns its id.
--
--   LE404  no such package, or not yours     LE409  the package has too many links
CREATE OR REPLACE FUNCTION ler.keep_package_link(
    wanted_id uuid, token_id uuid, secret_sha256 text, life interval, most integer
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    -- Locked, so that of two at once one counts the other.
    PERFORM FROM ler.package AS p
    JOIN ler.excavation_request AS r ON r.id = p.request_id
    WHERE p.id = keep_package_link.wanted_id AND ler.principal() IN (r.requester_id, p.owner_id)
        AND r.state <> 'erased'
    FOR NO KEY UPDATE OF p;
    IF NOT FOUND OR ler.is_ended(keep_package_link.token_id) THEN
        RAISE EXCEPTION 'no such package' USING ERRCODE = 'LE404';
    END IF;
    DELETE FROM ler.package_link AS l
    WHERE l.package_id = keep_package_link.wanted_id AND (l.expires_at <= now() OR ler.is_ended(l.token_id));
    IF (SELECT count(*) FROM ler.package_link AS l WHERE l.package_id = keep_package_link.wanted_id)
        >= keep_package_link.most
    THEN
        RAISE EXCEPTION 'too many links' USING ERRCODE = 'LE409';
    END IF;
    INSERT INTO ler.package_link (package_id, organisation_id, token_id, secret_sha256, expires_at)
    VALUES (
        keep_package_link.wanted_id, ler.principal(), keep_package_link.token_id, keep_package_link.secret_sha256,
        now() + keep_package_link.life
    )
    RETURNING id INTO made;
    RETURN made;
END
$$;


-- Takes away a link of the acting organisation; false when there is none.
CREATE OR REPLACE FUNCTION ler.end_package_link(package_id uuid, link_id uuid)
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM ler.package_link AS l
        WHERE l.id = end_package_link.link_id AND l.package_id = end_package_link.package_id
            AND l.organisation_id = ler.principal()
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM gone)
$$;


-- What a link leads to, by the hash of its secret; nothing when it has expired, or who made it may no longer. Nobody
-- needs to act: whoever holds the secret fetches this one package for the organisation that made it.
CREATE OR REPLACE FUNCTION ler.find_package_link(secret_sha256 text)
RETURNS TABLE (link_id uuid, package_id uuid, organisation_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT l.id, l.package_id, l.organisation_id
    FROM ler.package_link AS l
    WHERE l.secret_sha256 = find_package_link.secret_sha256 AND l.expires_at > now() AND NOT ler.is_ended(l.token_id)
$$;
