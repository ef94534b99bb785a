SELECT DISTINCT agent, round(clock_offset_s, 1) AS offset_s, clock_offset_basis
FROM agent_calls
WHERE clock_offset_s IS NOT NULL
ORDER BY ALL
