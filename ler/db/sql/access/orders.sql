-- Requests as their requesters see and end them: every row is guarded inside the functions, by the principal.
GRANT EXECUTE ON FUNCTION
    ler.name_owners(uuid), ler.list_asked_owners(uuid[]), ler.extend_request(uuid, date, integer)
    TO ler_app;
GRANT EXECUTE ON FUNCTION ler.legal_today() TO ler_app, ler_worker, ler_readonly;
GRANT EXECUTE ON FUNCTION ler.end_requests(integer), ler.erase_requests(integer, integer) TO ler_worker;
