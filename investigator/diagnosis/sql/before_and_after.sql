SELECT {lever}, {value} AS after
FROM attempts
WHERE list_contains($ids, attempt_id)
ORDER BY after DESC NULLS LAST, arrived_at DESC, attempt_id
LIMIT 1
