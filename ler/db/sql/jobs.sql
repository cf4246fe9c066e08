-- Jobs of the OGC API: what becomes of a row beyond what its organisation does with it, the queue that wakes workers, and
-- what the worker finds of all organisations.
--
--   LE404  no such job, or not yours

-- When a row changes: since when it is as it is, and what its caller is to be told. Only the newest is told: who is told
-- that a job has ended need not be told that it had begun.
CREATE OR REPLACE FUNCTION ler.note_job()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
DECLARE
    due constant text := CASE
        WHEN NEW.status = 'running' AND NEW.in_progress_uri IS NOT NULL THEN 'running'
        WHEN NEW.status = 'successful' AND NEW.success_uri IS NOT NULL THEN 'ended'
        WHEN NEW.status = 'failed' AND NEW.failed_uri IS NOT NULL THEN 'ended'
    END;
BEGIN
    NEW.updated_at := clock_timestamp();
    NEW.call_due := due;
    NEW.call_at := CASE WHEN due IS NOT NULL THEN NEW.updated_at END;
    NEW.call_attempts := 0;
    IF NEW.status IN ('accepted', 'running') THEN
        NEW.finished_at := NULL;
    ELSE
        NEW.finished_at := coalesce(NEW.finished_at, NEW.updated_at);
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER noting
BEFORE INSERT OR UPDATE OF status, progress, message ON ler.ogc_job
FOR EACH ROW EXECUTE FUNCTION ler.note_job();


-- Wakes a worker for one's own job, in the transaction of the change that it is about; a call that waits already is
-- enough.
CREATE OR REPLACE FUNCTION ler.queue_job(job_id uuid, delay interval)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, queue, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM ler.ogc_job AS j WHERE j.id = queue_job.job_id AND j.organisation_id = ler.principal()
    ) THEN
        RAISE EXCEPTION 'no such job' USING ERRCODE = 'LE404';
    END IF;
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        'jobs', 'run_job', 0, NULL, 'run_job:' || job_id,
        jsonb_build_object('job_id', job_id, 'organisation_id', ler.principal()), now() + delay
    )::procrastinate_job_to_defer_v1]);
    RETURN true;
EXCEPTION
    WHEN unique_violation THEN
        RETURN false;
END
$$;


-- The jobs that are not at their end, the oldest first.
CREATE OR REPLACE FUNCTION ler.jobs_at_work(most integer)
RETURNS TABLE (id uuid, organisation_id uuid, status text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    SELECT j.id, j.organisation_id, j.status
    FROM ler.ogc_job AS j
    WHERE j.status IN ('accepted', 'running')
    ORDER BY j.created_at
    LIMIT most
$$;


-- Takes away the jobs whose time is up.
CREATE OR REPLACE FUNCTION ler.forget_jobs()
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM ler.ogc_job AS j
        WHERE j.expires_at <= now() AND j.status NOT IN ('accepted', 'running')
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;


-- Takes up to `most` jobs of which somebody is to be told, for as long as `lease`; after that another may take them.
CREATE OR REPLACE FUNCTION ler.claim_job_calls(most integer, lease interval)
RETURNS SETOF ler.ogc_job
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    WITH due AS (
        SELECT j.id
        FROM ler.ogc_job AS j
        WHERE j.call_due IS NOT NULL AND j.call_at <= clock_timestamp()
        ORDER BY j.call_at
        LIMIT most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE ler.ogc_job AS j
    SET call_at = clock_timestamp() + lease, call_attempts = j.call_attempts + 1
    FROM due
    WHERE j.id = due.id
    RETURNING j.*
$$;


-- Writes down that somebody was told of a job as it was at `told_at`, or when it is tried again; `pause` NULL: never. What
-- has become due meanwhile stays due.
CREATE OR REPLACE FUNCTION ler.record_job_call(job_id uuid, told_at timestamptz, done boolean, pause interval)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, @postgis@, ler, pg_temp
AS $$
    UPDATE ler.ogc_job AS j
    SET call_due = CASE WHEN done OR pause IS NULL THEN NULL ELSE j.call_due END,
        call_at = CASE WHEN done OR pause IS NULL THEN NULL ELSE clock_timestamp() + pause END
    WHERE j.id = job_id AND j.updated_at = told_at AND j.call_due IS NOT NULL
$$;
