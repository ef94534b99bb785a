-- One row per call: its last attempt.
SELECT
    call_id,
    arg_max(attempt_id, sort) AS attempt_id,
    arg_max(agent, sort) AS agent,
    arg_max(session_id, sort) AS session_id,
    arg_max(run_id, sort) AS run_id,
    arg_max(model_key, sort) AS model_key,
    max(asked_tokens) AS asked_tokens,
    arg_max(coalesce(cached_tokens, 0), sort) AS cached_tokens,
    arg_max(output_tokens, sort) AS output_tokens,
    arg_max(window_tokens, sort) AS window_tokens,
    arg_max(native_window_tokens, sort) AS native_window_tokens,
    arg_max(slots, sort) AS slots,
    arg_max(kv_type, sort) AS kv_type,
    arg_max(timeout_s, sort) AS timeout_s,
    bool_and(failed) AS failed,
    sum(duration_s) FILTER (failed) AS lost_s,
    list_sort(list_distinct(flatten(list(evidence)))) AS evidence
FROM (
    SELECT *, concat(coalesce(CAST(arrived_at AS VARCHAR), ''), ' ', attempt_id) AS sort
    FROM attempts
)
GROUP BY call_id
ORDER BY call_id
