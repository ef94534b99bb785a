SELECT json_object('id', m.id, 'session', m.session_id, 'data', json(m.data), 'chars', (
         SELECT sum(length(json_extract(p.data, '$.text'))) FROM part p
         WHERE p.message_id = m.id AND json_extract(p.data, '$.type') = 'text'))
FROM message m ORDER BY m.time_created, m.id
