INSERT INTO meta.sources
SELECT $source_id, $path, $location, $fingerprint, $format, $side, NULL, $size_bytes, $modified_ns, 0, 1, false, 0, 0, 0, 0, 0
