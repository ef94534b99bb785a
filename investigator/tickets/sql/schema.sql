CREATE SCHEMA IF NOT EXISTS tickets;

-- The ticket of an incident at a tracker. base_url and project: where it is.
CREATE TABLE IF NOT EXISTS tickets.tickets (
    tracker VARCHAR NOT NULL,
    base_url VARCHAR NOT NULL,
    project VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    ticket VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    PRIMARY KEY (tracker, base_url, project, fingerprint)
);

-- What became of each rung of each delivery. report: digest of the report; delivered_at: UTC.
CREATE TABLE IF NOT EXISTS tickets.deliveries (
    delivered_at TIMESTAMP NOT NULL,
    tracker VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    ticket VARCHAR NOT NULL,
    report VARCHAR NOT NULL,
    rung VARCHAR NOT NULL,
    result VARCHAR NOT NULL,
    done BOOLEAN NOT NULL,
    detail VARCHAR NOT NULL
);
