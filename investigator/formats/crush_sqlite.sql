SELECT json_object('id', m.id, 'session', m.session_id, 'parent', s.parent_session_id, 'role', m.role,
         'model', m.model, 'provider', m.provider, 'parts', json(CASE WHEN json_valid(m.parts) THEN m.parts END),
         'created', m.created_at, 'finished', m.finished_at, 'summary', m.is_summary_message)
FROM messages m LEFT JOIN sessions s ON s.id = m.session_id ORDER BY m.created_at, m.id
