-- Not every release has part.time_created: the name then means the one of `absent`, which is NULL.
SELECT json_object('id', m.id, 'session', m.session_id, 'data', json(m.data), 'chars', (
         SELECT sum(length(json_extract(p.data, '$.text'))) FROM part p
         WHERE p.message_id = m.id AND json_extract(p.data, '$.type') = 'text'), 'first', (
         SELECT (
           SELECT min(coalesce(json_extract(p.data, '$.time.start'), time_created)) FROM part p
           WHERE p.message_id = m.id AND json_extract(p.data, '$.type') IN ('text', 'reasoning', 'tool'))
         FROM (SELECT NULL AS time_created) AS absent))
FROM message m ORDER BY m.time_created, m.id
