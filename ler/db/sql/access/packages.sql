-- Packages are entered and mended by functions only; the requester and the owner whose package it is read them.
GRANT EXECUTE ON FUNCTION ler.call_for_mending(uuid), ler.find_delivered(text, text),
    ler.package_downloads(uuid, integer), ler.deliveries_of_me(timestamptz, uuid, integer) TO ler_app;
GRANT EXECUTE ON FUNCTION
    ler.call_for_packages(), ler.call_for_owner_packages(), ler.tell_of_stuck_packages(uuid),
    ler.packages_kept(bigint, integer),
    ler.enter_packages(uuid, integer, jsonb, boolean), ler.enter_mended(uuid, text, bigint, jsonb)
    TO ler_worker;
