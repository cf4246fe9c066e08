-- Who sees where notices are sent and what became of them: the organisation itself, but for keys and codes. What is still
-- to be told or looked at is the worker's alone, through functions.
CREATE POLICY own ON ler.notice_endpoint FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));
CREATE POLICY own ON ler.outbox FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));

GRANT SELECT (
    id, organisation_id, channel, address, kinds, language, escalation, state, reason, old_secret_until, failures,
    failing_since, hold_until, delivered_at, created_at
) ON ler.notice_endpoint TO ler_app, ler_readonly;
GRANT SELECT (
    id, notice_id, organisation_id, endpoint_id, lane, channel, address, language, state, attempts, next_try_at,
    taken_until, status, fault, created_at, done_at
) ON ler.outbox TO ler_app, ler_readonly;

GRANT EXECUTE ON FUNCTION
    ler.place_notices(),
    ler.add_endpoint(text, text, text[], text, boolean, text, text),
    ler.change_endpoint(uuid, text[], text, boolean, boolean),
    ler.confirm_endpoint(uuid, text),
    ler.remove_endpoint(uuid),
    ler.renew_endpoint_secret(uuid, text, interval),
    ler.test_endpoint(uuid)
    TO ler_app;
GRANT EXECUTE ON FUNCTION
    ler.claim_deliveries(text, integer, integer, interval),
    ler.keep_payload(uuid, text),
    ler.record_delivery(uuid, text, integer, text, interval, interval, interval, interval),
    ler.forget_deliveries(interval, interval),
    ler.tell_changes(integer),
    ler.watched_owners(integer),
    ler.remind_owner(uuid, integer, integer, timestamptz)
    TO ler_worker;
