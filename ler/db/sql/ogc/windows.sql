-- What everybody may know of digging windows: those to which somebody is invited, or that are agreed. Nobody's answers.
CREATE VIEW ler.ogc_digging_window AS
SELECT
    d.id, d.seq, d.geom, d.version, d.changed_at, d.state, d.start_on, d.end_on, d.pilot_work_id, member.works,
    d.days_saved, d.surface_saved_m2, d.openings_saved, d.gain_dkk - d.move_dkk AS saved_dkk, d.gap
FROM ler.digging_window AS d
CROSS JOIN LATERAL (
    SELECT count(*) AS works FROM ler.window_work AS m
    WHERE m.window_id = d.id AND (d.state = 'invited' OR m.answer = 'accepted')
) AS member
WHERE d.state IN ('invited', 'agreed');

GRANT SELECT ON ler.ogc_digging_window TO ler_app, ler_readonly;
