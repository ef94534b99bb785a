-- things that happened to a server beside its requests
CREATE OR REPLACE TEMP VIEW server_events AS
SELECT
    event_id, stream, stretch, happened_at, line_no, kind, slug, level, message, value_num, in_request, evidence
FROM derived.server_events
