-- The attempt that takes longest to read in a world, by the law fitted to the case.
SELECT
    read_tokens,
    prefill_s(
        read_tokens - coalesce(cached_tokens, 0), coalesce(cached_tokens, 0), prefill_r0, prefill_c
    ) AS reading_s,
    prefill_spread,
    timeout_s,
    -- known from below where another request saw it, and the prompt is not mostly in the cache
    CASE WHEN coalesce(cached_tokens < 0.5 * read_tokens, true) THEN slot_held_s END AS held_s
FROM {attempts}
WHERE list_contains($ids, attempt_id)
ORDER BY reading_s DESC NULLS LAST, attempt_id
LIMIT 1
