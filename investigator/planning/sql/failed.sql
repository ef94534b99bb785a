FROM attempts
WHERE list_contains($1, attempt_id) AND failed
ORDER BY arrived_at NULLS LAST, attempt_id
