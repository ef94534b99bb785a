SELECT source.path, shape, sum(unrecognised.lines)::BIGINT AS lines
FROM meta.unrecognised AS unrecognised
JOIN meta.sources AS source USING (source_id)
GROUP BY ALL
ORDER BY source.path, lines DESC, shape
