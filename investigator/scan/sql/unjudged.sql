SELECT source.source_id, source.path, coalesce(judged.cursor_bytes, 0) AS from_bytes, source.cursor_bytes,
    coalesce(judged.cursor_line, 1) AS from_line
FROM meta.sources AS source
LEFT JOIN nights.judged AS judged USING (source_id)
WHERE source.cursor_bytes > 0
  AND (judged.source_id IS NULL OR source.cursor_bytes <> judged.cursor_bytes OR source.tail IS DISTINCT FROM judged.tail)
ORDER BY source.source_id
