SELECT json_object('id', m.id, 'session', m.session_id, 'data', json(m.data), 'chars', (
         SELECT sum(length(json_extract(p.data, '$.text'))) FROM part p
         WHERE p.message_id = m.id AND json_extract(p.data, '$.type') = 'text'), 'first', (
         SELECT min(coalesce(json_extract(p.data, '$.time.start'), p.time_created)) FROM part p
         WHERE p.message_id = m.id AND json_extract(p.data, '$.type') IN ('text', 'reasoning', 'tool')))
FROM message m ORDER BY m.time_created, m.id
