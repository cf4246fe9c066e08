-- What a caller may do with uploads beyond its own rows: put a job on the queue, and, for the worker,
-- find what has been left lying. None of them gives out what an owner has uploaded.

-- Puts a job about one's own upload on the queue, in the transaction of the change it is about; a job of that kind that
-- waits already is enough. The path is the queue's, whose functions name their tables without a schema.
CREATE OR REPLACE FUNCTION ler.queue_upload(upload_id uuid, task text, delay interval)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, queue, pg_temp
AS $$
BEGIN
    IF task NOT IN ('check_upload', 'publish_upload') OR NOT EXISTS (
        SELECT FROM ler.upload AS u
        WHERE u.id = queue_upload.upload_id AND u.owner_id = ler.principal()
    ) THEN
        RAISE EXCEPTION 'no such upload or task' USING ERRCODE = 'LE404';
    END IF;
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        'uploads', task, 0, NULL, task || ':' || upload_id,
        jsonb_build_object('upload_id', upload_id, 'owner_id', ler.principal()), now() + delay
    )::procrastinate_job_to_defer_v1]);
    RETURN true;
EXCEPTION
    WHEN unique_violation THEN
        RETURN false;
END
$$;


-- Every upload that is not at its end, and whether its time is up; and those at their end that have left a version
-- staged: what the sweep looks after.
CREATE OR REPLACE FUNCTION ler.uploads_at_work()
RETURNS TABLE (id uuid, owner_id uuid, state text, overdue boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT u.id, u.owner_id, u.state, coalesce(u.expires_at <= now(), false)
    FROM ler.upload AS u
    WHERE u.state IN ('receiving', 'received', 'checking', 'needs_approval', 'approved', 'publishing')
        OR u.state IN ('discarded', 'expired', 'failed') AND u.version_id IS NOT NULL
    ORDER BY u.changed_at
$$;


-- Of these uploads, those whose file is still needed: not at their end, or ended less than `keep` ago with a report
-- that shows places of the file.
CREATE OR REPLACE FUNCTION ler.uploads_with_files(ids uuid[], keep interval)
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT u.id
    FROM ler.upload AS u
    WHERE u.id = ANY (ids) AND (
        u.state NOT IN ('rejected', 'unchanged', 'published', 'discarded', 'expired', 'failed')
        OR u.state IN ('rejected', 'unchanged', 'published') AND u.changed_at > now() - keep
    )
$$;


-- Takes answers away that were kept long enough for a repeated call.
CREATE OR REPLACE FUNCTION ler.forget_old_keys()
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH gone AS (DELETE FROM ler.idempotency_key AS k WHERE k.expires_at <= now() RETURNING 1)
    SELECT count(*) FROM gone
$$;
