-- Layout 2: what a source looked like around its first and its last bytes that were read.
ALTER TABLE meta.sources ADD COLUMN IF NOT EXISTS head_bytes INTEGER DEFAULT 1024;
ALTER TABLE meta.sources ADD COLUMN IF NOT EXISTS tail VARCHAR;
