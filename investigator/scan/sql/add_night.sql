INSERT INTO nights.nights
VALUES ($night, $started_at, $tool, $rules, $catalogue, $files, $read_bytes, $reason, $exit_code)
