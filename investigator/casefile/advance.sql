UPDATE meta.sources
SET cursor_bytes = $offset,
    cursor_line = $line,
    tail = $tail,
    lines = lines + $lines,
    fact_lines = fact_lines + $facts,
    noise_lines = noise_lines + $noise,
    foreign_lines = foreign_lines + $foreign,
    unrecognised_lines = unrecognised_lines + $unrecognised
WHERE source_id = $source
