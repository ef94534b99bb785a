SELECT COALESCE(event_json, event_zstd) FROM transcript_events ORDER BY session_id, seq
