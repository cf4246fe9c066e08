-- Which tables, columns and functions each role may use at all; which rows is said in policies.sql. Taken back as a
-- whole first, so that what is not granted here is not granted.
--
-- Keys and times are made by the database and cannot be chosen by a client: an id that "exists already" would tell of
-- somebody else's row.
REVOKE ALL ON ALL TABLES IN SCHEMA ler FROM PUBLIC, ler_app, ler_worker, ler_readonly;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA ler FROM PUBLIC, ler_app, ler_worker, ler_readonly;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ler FROM PUBLIC, ler_app, ler_worker, ler_readonly;
REVOKE ALL ON SCHEMA ler FROM PUBLIC, ler_app, ler_worker, ler_readonly;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT USAGE ON SCHEMA ler TO ler_app, ler_worker, ler_readonly;
GRANT EXECUTE ON FUNCTION
    ler.principal(), ler.request_scope(), ler.account(), ler.provider(), ler.platform_operator()
    TO ler_app, ler_worker, ler_readonly;
GRANT EXECUTE ON FUNCTION
    ler.clip(@postgis@.geometry, @postgis@.geometry),
    ler.clip_line(@postgis@.geometry, @postgis@.geometry),
    ler.clip_surface(@postgis@.geometry, @postgis@.geometry),
    ler.clip_tolerance_m(),
    ler.covers(@postgis@.geometry, @postgis@.geometry),
    ler.height_on(@postgis@.geometry, @postgis@.geometry),
    ler.joined_line(@postgis@.geometry[]),
    ler.reach(@postgis@.geometry, double precision),
    ler.shares_of(@postgis@.geometry, @postgis@.geometry)
    TO ler_app, ler_worker;
GRANT EXECUTE ON FUNCTION ler.match_request(uuid, timestamptz, timestamptz, timestamptz),
    ler.cancel_request(uuid),
    ler.publish_version(uuid, boolean), ler.discard_version(uuid),
    ler.purge_versions(integer), ler.sweep_staging(integer)
    TO ler_app;
-- Run as the caller, who sees by them what its policies show it.
GRANT EXECUTE ON FUNCTION
    ler.expand_delta(uuid, text[]),
    ler.is_valid_in(integer, integer, integer),
    ler.kind_of_change(text, text, @postgis@.geometry, @postgis@.geometry),
    ler.network_as_of(uuid, integer),
    ler.network_as_of(uuid, timestamptz),
    ler.pointers(jsonb),
    ler.readable_version(uuid, integer),
    ler.reference_attributes(),
    ler.staged_changes(uuid),
    ler.staged_lost_references(uuid),
    ler.version_at(uuid, timestamptz),
    ler.version_changes(uuid, integer, integer)
    TO ler_app, ler_readonly;
GRANT EXECUTE ON FUNCTION ler.known_blobs(), ler.mark_late() TO ler_worker;

GRANT SELECT ON
    ler.organisation, ler.interest_area, ler.network_dataset, ler.network_version, ler.network_feature,
    ler.staged_feature, ler.network_quality, ler.excavation_request, ler.owner_request, ler.owner_answer, ler.package_feature, ler.package,
    ler.notice
    TO ler_app, ler_readonly;

GRANT INSERT (cvr, name, email, phone) ON ler.organisation TO ler_app;
GRANT INSERT (owner_id, utility_types, geom) ON ler.interest_area TO ler_app;
GRANT INSERT (owner_id, name) ON ler.network_dataset TO ler_app;
GRANT INSERT (
    dataset_id, owner_id, number, source_name, source_sha256, model_version, header, feature_count, mode, base_number
) ON ler.network_version TO ler_app;
GRANT UPDATE (header, feature_count, model_version, comparison, findings, decision, decision_reasons)
    ON ler.network_version TO ler_app;
GRANT INSERT ON ler.staged_feature TO ler_app;
GRANT INSERT (version_id, owner_id, score, figures) ON ler.network_quality TO ler_app;
GRANT SELECT ON ler.drawing, ler.package_drawing TO ler_app, ler_readonly;
GRANT INSERT (
    owner_id, name, deliver, cog_sha256, cog_size_bytes, preview_sha256, resolution_m, accuracy_m, taken_on,
    valid_from, valid_to, geom, placement, original_sha256, original_size_bytes, media_type, source_epsg, columns, rows,
    linked_gml_ids
) ON ler.drawing TO ler_app;
GRANT DELETE ON ler.drawing TO ler_app;
-- Its state begins as the table says and moves by functions only.
GRANT INSERT (
    requester_id, area, clip_buffer_m, unknown_accuracy_m, period_from, period_to, purpose, description, kind, already_started,
    order_reference, utility_types, contact_person, contact_address, contact_email, contact_phone, price, renews_id,
    order_id, work_kind, work_kind_other, work_method, depth_m, address_ids
) ON ler.excavation_request TO ler_app;
GRANT SELECT, INSERT (actor, action, object_id, details) ON ler.audit_event TO ler_app;

GRANT SELECT ON
    ler.organisation, ler.network_version, ler.excavation_request, ler.owner_request, ler.owner_answer,
    ler.package_feature, ler.package
    TO ler_worker;
GRANT SELECT ON ler.package_drawing TO ler_worker;
-- Where an owner's interest lies is not part of a package.
GRANT SELECT (id, owner_id, registration_number, utility_types) ON ler.interest_area TO ler_worker;
GRANT INSERT (actor, action, object_id, details) ON ler.audit_event TO ler_worker;

-- Uploads change state by conditional updates of their services; events are appended, never changed.
GRANT SELECT ON ler.upload, ler.upload_event TO ler_app, ler_readonly;
GRANT INSERT (
    owner_id, file_name, size_bytes, sha256, mode, deletes, crs, mapping, auto_approve, confirm_empty, expires_at
) ON ler.upload TO ler_app;
GRANT UPDATE (
    state, revision, received_bytes, sha256, version_id, version_number, feature_count, report, comparison, reasons,
    problem, attempts, last_event, changed_at, expires_at
) ON ler.upload TO ler_app;
GRANT INSERT (upload_id, owner_id, number, kind, data) ON ler.upload_event TO ler_app;
-- Nobody reads the hash of a secret but ler.find_token.
GRANT SELECT (id, owner_id, prefix, scopes, note, created_at, expires_at, revoked_at)
    ON ler.access_token TO ler_app, ler_readonly;
GRANT INSERT (owner_id, prefix, secret_sha256, scopes, note, expires_at) ON ler.access_token TO ler_app;
GRANT UPDATE (revoked_at) ON ler.access_token TO ler_app;
GRANT SELECT, DELETE, INSERT (owner_id, route, key, request_sha256, status, headers, body, expires_at)
    ON ler.idempotency_key TO ler_app;
GRANT EXECUTE ON FUNCTION ler.queue_upload(uuid, text, interval) TO ler_app;
GRANT EXECUTE ON FUNCTION
    ler.uploads_at_work(), ler.uploads_with_files(uuid[], interval), ler.forget_old_keys()
    TO ler_worker;
