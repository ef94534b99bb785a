-- one call as the agent saw it
CREATE OR REPLACE TEMP VIEW agent_calls AS
SELECT
    call_id, agent, agent_version, session_id, run_id, provider, model, api, base_url, route, started_at, ended_at,
    start_basis, duration_s, input_tokens, output_tokens, cache_read_tokens, estimated_tokens, asked_tokens,
    refused_window_tokens, believed_window_tokens, max_output_tokens, run_timeout_s, request_timeout_s,
    run_timeout_key, request_timeout_key, run_limit_hit_s, finish_reason, error_class, error_text, http_status,
    outcome, clock_offset_s, clock_offset_basis, evidence
FROM derived.agent_calls
