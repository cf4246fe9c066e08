-- The audit trail is appended to, by nobody changed: not even by the owner of the table, unless by DDL, which only
-- who migrates may do.
CREATE OR REPLACE FUNCTION ler.refuse_change()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE OR REPLACE TRIGGER append_only_rows
BEFORE UPDATE OR DELETE ON ler.audit_event
FOR EACH ROW EXECUTE FUNCTION ler.refuse_change();

CREATE OR REPLACE TRIGGER append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ler.audit_event
FOR EACH STATEMENT EXECUTE FUNCTION ler.refuse_change();
