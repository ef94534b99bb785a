-- Facts of one table ({table}) from the window's beginning ({begin}) on.
SELECT fact.*
FROM facts.{table} AS fact
JOIN window_begins AS begins USING (source_id)
WHERE fact.byte_offset >= begins.{begin}
ORDER BY source_id, byte_offset, fact_id
