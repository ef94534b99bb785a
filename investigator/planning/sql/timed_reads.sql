-- Answered requests of a model with their reading times: at most a few hundred, evenly over the depth.
SELECT attempt_id, prefill_s, read_tokens, cached_tokens
FROM (
    SELECT *, row_number() OVER (ORDER BY read_tokens, attempt_id) AS place, count(*) OVER () AS timed
    FROM attempts
    WHERE model_key = $1 AND outcome IN ('ok', 'cut_by_length') AND prefill_s > 0 AND read_tokens > 0
)
WHERE place % greatest(timed // 400, 1) = 0 OR place = timed
ORDER BY read_tokens, attempt_id
