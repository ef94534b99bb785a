INSERT OR REPLACE INTO nights.judged SELECT source_id, cursor_bytes, tail FROM meta.sources
