INSERT INTO meta.sources BY NAME
SELECT
    $source_id AS source_id, $path AS path, $location AS location, $fingerprint AS fingerprint, $head_bytes AS head_bytes,
    $format AS format, $side AS side, $size_bytes AS size_bytes, $modified_ns AS modified_ns,
    0 AS cursor_bytes, 1 AS cursor_line, false AS complete,
    0 AS lines, 0 AS fact_lines, 0 AS noise_lines, 0 AS foreign_lines, 0 AS unrecognised_lines
