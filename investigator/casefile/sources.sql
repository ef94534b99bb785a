SELECT source_id, path, format, side, make_timestamp(modified_ns // 1000) AS modified_at
FROM meta.sources
ORDER BY path
