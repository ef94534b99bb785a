SELECT source_id, path, location, size_bytes, modified_ns, cursor_bytes, cursor_line, complete, sha256, fingerprint
FROM meta.sources
WHERE fingerprint = $fingerprint OR location = $location
ORDER BY path
