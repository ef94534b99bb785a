-- What names the machine: descriptions first, then the devices that the server printed.
SELECT name, memory_bytes
FROM (
    SELECT 1 AS rank, concat_ws(' ', machine, chip) AS name, memory_bytes FROM facts.host_spec
    UNION ALL
    SELECT 2 AS rank, name, total_bytes AS memory_bytes FROM devices
)
WHERE name <> ''
GROUP BY ALL
ORDER BY min(rank), name
