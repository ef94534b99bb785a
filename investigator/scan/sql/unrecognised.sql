SELECT shapes.* FROM meta.unrecognised AS shapes JOIN window_begins USING (source_id)
