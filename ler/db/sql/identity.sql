-- For whom the transaction acts. The settings are made with set_config(..., true), so they end with the transaction;
-- a session-level setting would stay on a pooled connection for the next caller. Unset means nobody, and nobody sees
-- no row.
--
-- Their bodies are bound when they are made, so that no search path can change them; with one of their own they would be
-- called (30 microseconds) instead of written into the query that asks.

-- The organisation that acts, or NULL.
CREATE OR REPLACE FUNCTION ler.principal()
RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('ler.principal', true), '')::uuid;

-- The request that a worker's job is about, or NULL.
CREATE OR REPLACE FUNCTION ler.request_scope()
RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('ler.request', true), '')::uuid;

-- The person that acts for the principal, or NULL. For the record: no policy asks for it.
CREATE OR REPLACE FUNCTION ler.account()
RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('ler.account', true), '')::uuid;

-- The organisation that acts for the principal by its mandate, or NULL. For the record: it gives no right, and takes
-- only that of making what would outlive the mandate.
CREATE OR REPLACE FUNCTION ler.provider()
RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('ler.provider', true), '')::uuid;

-- The organisation that runs the platform; ler.db.tables.PLATFORM_OPERATOR is the same.
CREATE OR REPLACE FUNCTION ler.platform_operator()
RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '00000000-0000-4000-8000-000000000001'::uuid;
