-- one server-side request with all that the server's log says
CREATE OR REPLACE TEMP VIEW requests AS
SELECT
    request_id, stream, stretch, engine, version, slot, task, arrived_at, ended_at, time_basis, relative_start_s,
    relative_end_s, duration_s, duration_uncertainty_s, route, method, client, status, inference, outcome, load_id,
    asked_tokens, read_tokens, cached_tokens, keep_tokens, output_tokens, window_tokens, prefill_s,
    prefill_new_tokens, decode_s, queue_s, load_s, progress_tokens, context_shifts, truncated,
    dropped_messages, error_text, evidence
FROM derived.requests
