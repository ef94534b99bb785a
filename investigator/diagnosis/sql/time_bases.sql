SELECT DISTINCT stream, time_basis
FROM requests
WHERE time_basis <> 'exact'
ORDER BY ALL
