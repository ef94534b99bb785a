SELECT night, started_at, files, read_bytes, reason, exit_code FROM nights.nights WHERE night >= $since ORDER BY night
