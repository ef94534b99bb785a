SELECT json_object('session', s.session_id, 'parent', s.parent_session_id, 'started', s.started_at, 'ended', s.ended_at,
        'status', s.status, 'provider', s.provider, 'model', s.model)
FROM sessions s ORDER BY s.started_at, s.session_id
