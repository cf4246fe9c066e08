-- Owners' own answers: who sees their files and links, and who may call the functions of answers.sql.

-- The files go where the answer goes.
CREATE POLICY requester ON ler.answer_attachment FOR SELECT TO ler_app, ler_readonly
    USING (requester_id = (SELECT ler.principal()));
CREATE POLICY owner ON ler.answer_attachment FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));
CREATE POLICY job ON ler.answer_attachment FOR SELECT TO ler_worker
    USING (request_id = (SELECT ler.request_scope()));

CREATE POLICY own ON ler.answer_link FOR SELECT TO ler_app, ler_readonly
    USING (owner_id = (SELECT ler.principal()));

GRANT SELECT ON ler.answer_attachment TO ler_app, ler_readonly, ler_worker;
-- Nobody reads the hash of a secret but ler.find_answer_link.
GRANT SELECT (id, owner_request_id, owner_id, created_at, expires_at) ON ler.answer_link TO ler_app, ler_readonly;

GRANT EXECUTE ON FUNCTION
    ler.acknowledge(uuid),
    ler.appoint(uuid, jsonb),
    ler.ask_to_mark(uuid, text),
    ler.asked_of_me(uuid, text[], timestamptz, uuid, integer),
    ler.choose_answering(uuid, text),
    ler.find_answer_link(text),
    ler.give_answer(uuid, boolean, jsonb, jsonb, jsonb, timestamptz),
    ler.mark(uuid, text),
    ler.withdraw_answer(uuid, text)
    TO ler_app;
GRANT EXECUTE ON FUNCTION ler.keep_answer_link(uuid, text, timestamptz) TO ler_app, ler_worker;
