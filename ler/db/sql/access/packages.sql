-- Packages are entered and mended by functions only; the requester and the owner whose package it is read them.
GRANT EXECUTE ON FUNCTION ler.call_for_mending(uuid), ler.find_delivered(text, text),
    ler.package_downloads(uuid, integer), ler.deliveries_of_me(timestamptz, uuid, integer),
    ler.keep_package_link(uuid, uuid, text, interval, integer), ler.end_package_link(uuid, uuid),
    ler.find_package_link(text) TO ler_app;
GRANT EXECUTE ON FUNCTION
    ler.call_for_packages(), ler.call_for_owner_packages(), ler.tell_of_stuck_packages(uuid),
    ler.packages_kept(bigint, integer),
    ler.enter_packages(uuid, integer, jsonb, boolean), ler.enter_mended(uuid, text, bigint, jsonb)
    TO ler_worker;

CREATE POLICY own ON ler.package_link FOR SELECT TO ler_app, ler_readonly
    USING (organisation_id = (SELECT ler.principal()));
-- Nobody reads the hash of a secret but ler.find_package_link.
GRANT SELECT (id, package_id, organisation_id, token_id, created_at, expires_at)
    ON ler.package_link TO ler_app, ler_readonly;
