-- Jobs are their organisation's: it enters them, workers that act for it bring them to their end, and nobody else sees
-- them. When, and whom to tell, is set by the table itself.
CREATE POLICY own ON ler.ogc_job FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));
CREATE POLICY entering ON ler.ogc_job FOR INSERT TO ler_app
    WITH CHECK (organisation_id = (SELECT ler.principal()));
CREATE POLICY working ON ler.ogc_job FOR UPDATE TO ler_app
    USING (organisation_id = (SELECT ler.principal()))
    WITH CHECK (organisation_id = (SELECT ler.principal()));

GRANT SELECT ON ler.ogc_job TO ler_app, ler_readonly;
GRANT INSERT (
    organisation_id, token_id, account_id, provider_id, acting_cvr, process, language, inputs, inputs_sha256, wanted,
    status, progress, started_at, result, result_sha256, key, request_sha256, success_uri, in_progress_uri, failed_uri,
    expires_at
) ON ler.ogc_job TO ler_app;
GRANT UPDATE (
    status, progress, message, attempts, started_at, inputs, inputs_sha256, result, result_sha256, problem
) ON ler.ogc_job TO ler_app;
GRANT EXECUTE ON FUNCTION ler.queue_job(uuid, interval) TO ler_app;
GRANT EXECUTE ON FUNCTION
    ler.jobs_at_work(integer), ler.forget_jobs(), ler.claim_job_calls(integer, interval),
    ler.record_job_call(uuid, timestamptz, boolean, interval)
    TO ler_worker;
