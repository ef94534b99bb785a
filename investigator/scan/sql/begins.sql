-- Where tonight's window begins in each stream. all_facts: source_id, byte_offset, stamp, kind of every fact.
-- from_offset: the first fact of the window, or the first unread byte; load_offset: the load that was under way then;
-- state_offset: the server's start before it, from where on its settings hold.
CREATE OR REPLACE TEMP TABLE window_begins AS
WITH windowed AS (
    SELECT source_id, min(byte_offset) AS from_offset
    FROM all_facts
    LEFT JOIN window_growths AS growth USING (source_id)
    WHERE stamp >= $since OR byte_offset >= growth.from_bytes
    GROUP BY source_id
)
SELECT
    source_id,
    from_offset,
    coalesce(max(byte_offset) FILTER (kind = 'runner_start' AND byte_offset < from_offset), from_offset) AS load_offset,
    coalesce(max(byte_offset) FILTER (kind = 'server_start' AND byte_offset <= from_offset), 0) AS state_offset
FROM windowed
JOIN all_facts USING (source_id)
GROUP BY source_id, from_offset
