SELECT json_object('session', c.id, 'message', json(m.value))
FROM chat c, json_each(CASE WHEN json_valid(c.chat) THEN c.chat END, '$.history.messages') m
WHERE m.type = 'object' ORDER BY c.created_at, c.id, m.id
