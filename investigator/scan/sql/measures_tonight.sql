-- Medians of tonight's requests per server and model. Short prompts say nothing of a machine's rate.
WITH tonight AS (
    SELECT attempts.*, known.known_to
    FROM attempts
    LEFT JOIN known_requests AS known USING (stream)
    WHERE stream IS NOT NULL AND model IS NOT NULL AND arrived_at > coalesce(known.known_to, TIMESTAMP '0001-01-01')
)
SELECT stream, model, 'prefill_tps' AS kind, median(prefill_tps) AS value, count(prefill_tps) AS samples
FROM tonight WHERE read_tokens - coalesce(cached_tokens, 0) >= 512 GROUP BY ALL HAVING count(prefill_tps) > 0
UNION ALL
SELECT stream, model, 'decode_tps', median(decode_tps), count(decode_tps)
FROM tonight WHERE output_tokens >= 32 GROUP BY ALL HAVING count(decode_tps) > 0
UNION ALL
SELECT stream, model, 'load_s', median(load_s), count(load_s)
FROM tonight WHERE load_s > 0 GROUP BY ALL
UNION ALL
SELECT stream, model, 'failed_share', count(*) FILTER (failed) / count(*), count(*)
FROM tonight GROUP BY ALL
ORDER BY stream, model, kind
