SELECT DISTINCT kept.line_no, kept.text
FROM meta.evidence_lines AS kept
JOIN meta.sources AS source USING (source_id)
JOIN (SELECT unnest($lines) AS line_no) AS wanted ON kept.line_no = wanted.line_no
WHERE source.path = $path
ORDER BY kept.line_no
