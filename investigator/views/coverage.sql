-- what became of each source's lines
CREATE OR REPLACE TEMP VIEW coverage AS
SELECT
    path AS source, format, sha256, size_bytes, lines, fact_lines AS facts, noise_lines AS noise, foreign_lines AS "foreign",
    unrecognised_lines AS unrecognised
FROM meta.sources
