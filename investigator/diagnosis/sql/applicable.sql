SELECT coalesce(bool_or({condition}), false)
FROM attempts
WHERE list_contains($ids, attempt_id)
