CREATE SCHEMA IF NOT EXISTS nights;

-- One row per scan. reason: why it judged anew although no log changed.
CREATE TABLE IF NOT EXISTS nights.nights (
    night INTEGER PRIMARY KEY,
    started_at TIMESTAMP NOT NULL,
    tool_version VARCHAR NOT NULL,
    rules_hash VARCHAR NOT NULL,
    catalogue_hash VARCHAR NOT NULL,
    files INTEGER NOT NULL,
    read_bytes BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    exit_code INTEGER NOT NULL
);

-- What was said of each incident in each night that spoke of it. report: its page, relative to the folder of reports.
CREATE TABLE IF NOT EXISTS nights.incidents (
    night INTEGER NOT NULL,
    identity VARCHAR NOT NULL,
    change VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    cause VARCHAR,
    severity VARCHAR NOT NULL,
    sentence VARCHAR NOT NULL,
    model VARCHAR,
    place VARCHAR NOT NULL,
    failed_calls INTEGER NOT NULL,
    first_night INTEGER NOT NULL,
    nights INTEGER NOT NULL,
    report VARCHAR,
    PRIMARY KEY (night, identity)
);

CREATE TABLE IF NOT EXISTS nights.measures (
    night INTEGER NOT NULL,
    place VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    samples INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS nights.misses (
    night INTEGER NOT NULL,
    rule VARCHAR NOT NULL,
    place VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    ratio DOUBLE NOT NULL,
    said VARCHAR NOT NULL
);

-- Messages that a service did not take. service: digest of the URL as configured, which itself is never stored.
CREATE TABLE IF NOT EXISTS nights.outbox (
    night INTEGER NOT NULL,
    service VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    attachment VARCHAR,
    PRIMARY KEY (night, service)
);

-- How far each source was judged: what lies beyond is tonight's news, also when a scan was killed after reading it.
CREATE TABLE IF NOT EXISTS nights.judged (source_id UBIGINT PRIMARY KEY, cursor_bytes BIGINT NOT NULL, cursor_line INTEGER NOT NULL, tail VARCHAR);
