SELECT source.* FROM meta.sources AS source JOIN window_begins USING (source_id) ORDER BY source_id
