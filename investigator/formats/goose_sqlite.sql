SELECT json_object('id', m.message_id, 'session', m.session_id, 'role', m.role,
         'content', json(CASE WHEN json_valid(m.content_json) THEN m.content_json END),
         'metadata', json(CASE WHEN json_valid(m.metadata_json) THEN m.metadata_json END),
         'created', m.created_timestamp,
         -- The first releases' table lacks the time of storing: then the name is that of the row of nothing below.
         'stored', (SELECT unixepoch(timestamp) FROM messages own WHERE own.id = m.id), 'tokens', m.tokens, 'provider', s.provider_name,
         'config', json(CASE WHEN json_valid(s.model_config_json) THEN s.model_config_json END))
FROM messages m CROSS JOIN (SELECT NULL AS timestamp) LEFT JOIN sessions s ON s.id = m.session_id ORDER BY m.created_timestamp, m.id
