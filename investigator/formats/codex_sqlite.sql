SELECT json_object('session', t.thread_id, 'turn', t.turn_id, 'status', t.status, 'started', t.started_at,
        'completed', t.completed_at, 'duration_ms', t.duration_ms,
        'error', json(CASE WHEN json_valid(t.error_json) THEN t.error_json END))
FROM thread_turns t ORDER BY t.started_at, t.rollout_ordinal
