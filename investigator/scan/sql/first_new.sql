-- The earliest stamp, as printed, among tonight's new facts.
SELECT min(stamp)
FROM all_facts
JOIN window_growths AS growth USING (source_id)
WHERE byte_offset >= growth.from_bytes AND stamp IS NOT NULL
