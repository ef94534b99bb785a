SELECT kept.source_id, kept.line_no, kept.text
FROM meta.evidence_lines AS kept
JOIN window_begins AS begins USING (source_id)
JOIN window_lines AS lines USING (source_id)
WHERE kept.line_no >= lines.first_line - 3
