-- The attempts as they are in one world, with the time to read them by the case's own law.
SELECT
    attempt_id,
    asked_tokens,
    read_tokens,
    coalesce(cached_tokens, 0) AS cached_tokens,
    window_tokens,
    coalesce(slots, 1) AS slots,
    coalesce(kv_type, 'f16') AS kv_type,
    prefill_s(
        read_tokens - coalesce(cached_tokens, 0), coalesce(cached_tokens, 0), prefill_r0, prefill_c
    ) AS reading_s,
    prefill_spread,
    coalesce(load_s, 0) AS load_s,
    timeout_s
FROM {attempts}
WHERE list_contains($ids, attempt_id)
