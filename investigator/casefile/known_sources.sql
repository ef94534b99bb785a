SELECT source_id, path, location, size_bytes, modified_ns, cursor_bytes, cursor_line, complete, sha256
FROM meta.sources
WHERE fingerprint = $fingerprint
ORDER BY path
