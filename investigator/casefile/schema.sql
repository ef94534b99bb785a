CREATE SCHEMA IF NOT EXISTS facts;
CREATE SCHEMA IF NOT EXISTS derived;
CREATE SCHEMA IF NOT EXISTS meta;

CREATE TABLE IF NOT EXISTS meta.case_info (key VARCHAR PRIMARY KEY, value VARCHAR);

-- One row per source; the cursor (offset, line) moves in the same transaction as the facts before it.
CREATE TABLE IF NOT EXISTS meta.sources (
    source_id UBIGINT PRIMARY KEY,
    path VARCHAR NOT NULL,
    location VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    head_bytes INTEGER NOT NULL,
    format VARCHAR NOT NULL,
    side VARCHAR NOT NULL,
    sha256 VARCHAR,
    size_bytes BIGINT,
    modified_ns BIGINT,
    cursor_bytes BIGINT NOT NULL,
    cursor_line INTEGER NOT NULL,
    tail VARCHAR,
    complete BOOLEAN NOT NULL,
    lines BIGINT NOT NULL,
    fact_lines BIGINT NOT NULL,
    noise_lines BIGINT NOT NULL,
    foreign_lines BIGINT NOT NULL,
    unrecognised_lines BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS meta.noise (source_id UBIGINT, kind VARCHAR, lines BIGINT);

-- Shapes of lines that were not understood, with the first line of each.
CREATE TABLE IF NOT EXISTS meta.unrecognised (source_id UBIGINT, shape VARCHAR, lines BIGINT, first_line INTEGER, sample VARCHAR);

-- Log lines repeat each other: zstd stores them in a quarter of what the default takes.
CREATE TABLE IF NOT EXISTS meta.evidence_lines (source_id UBIGINT, line_no INTEGER, text VARCHAR USING COMPRESSION zstd);

CREATE TABLE IF NOT EXISTS meta.problems (path VARCHAR, kind VARCHAR, message VARCHAR, harmless BOOLEAN);

-- What stood at a place when it was last looked at, so that an unchanged file need not be opened again. source_id NULL: a
-- file that is not read. left_bytes: what was not read yet, because its writer may go on with an unfinished record.
CREATE TABLE IF NOT EXISTS meta.places (
    location VARCHAR PRIMARY KEY,
    device UBIGINT NOT NULL,
    inode UBIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    modified_ns BIGINT NOT NULL,
    source_id UBIGINT,
    left_bytes BIGINT NOT NULL
);
