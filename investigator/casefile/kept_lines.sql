SELECT DISTINCT kept.line_no, kept.text
FROM meta.evidence_lines AS kept
JOIN meta.sources AS source USING (source_id)
JOIN (SELECT unnest($lines) AS line_no) AS wanted
    ON kept.line_no BETWEEN wanted.line_no - $span AND wanted.line_no + $span
WHERE source.path = $path
ORDER BY kept.line_no
