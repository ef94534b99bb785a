SELECT location, device, inode, size_bytes, modified_ns, source_id, left_bytes FROM meta.places
