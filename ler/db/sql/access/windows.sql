-- Windows are shown to every organisation that acts, as the published works in them are; the public has
-- ler.ogc_digging_window. They are proposed by who coordinates the place, and move in functions only.
CREATE POLICY published ON ler.digging_window FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) IS NOT NULL);
CREATE POLICY proposing ON ler.digging_window FOR INSERT TO ler_app
    WITH CHECK (ler.may_coordinate(geom));
GRANT SELECT ON ler.digging_window TO ler_app, ler_readonly;
GRANT INSERT (
    geom, pilot_work_id, start_on, end_on, days_saved, surface_saved_m2, openings_saved, gain_dkk, move_dkk, gap, reason_da,
    reason_en
) ON ler.digging_window TO ler_app;

-- Whose the work is follows from the work, and only a window that is still proposed takes works.
CREATE POLICY published ON ler.window_work FOR SELECT TO ler_app, ler_readonly
    USING ((SELECT ler.principal()) IS NOT NULL);
CREATE POLICY proposing ON ler.window_work FOR INSERT TO ler_app
    WITH CHECK (
        EXISTS (
            SELECT FROM ler.digging_window AS d
            WHERE d.id = window_id AND d.state = 'proposed' AND ler.may_coordinate(d.geom)
        )
        AND EXISTS (
            SELECT FROM ler.planned_work AS w
            WHERE w.id = work_id AND w.organisation_id = window_work.organisation_id AND w.ended_at IS NULL
        )
    );
GRANT SELECT ON ler.window_work TO ler_app, ler_readonly;
GRANT INSERT (window_id, work_id, organisation_id, place, start_on, end_on, stands_on, moved_days)
    ON ler.window_work TO ler_app;

GRANT EXECUTE ON FUNCTION ler.may_coordinate(@postgis@.geometry) TO ler_app, ler_readonly;
GRANT EXECUTE ON FUNCTION
    ler.invite_window(uuid, timestamptz), ler.answer_window(uuid, uuid, boolean), ler.withdraw_windows(uuid[])
    TO ler_app;
GRANT EXECUTE ON FUNCTION ler.expire_windows() TO ler_worker;
