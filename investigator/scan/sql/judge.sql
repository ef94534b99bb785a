INSERT OR REPLACE INTO nights.judged SELECT source_id, cursor_bytes, cursor_line, tail FROM meta.sources
