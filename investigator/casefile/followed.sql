SELECT source_id, path, location, fingerprint, head_bytes, format, side, cursor_bytes, cursor_line, tail FROM meta.sources
ORDER BY source_id
