SELECT stream, min(engine) AS engine
FROM (SELECT stream, engine FROM requests UNION ALL SELECT stream, engine FROM model_loads)
WHERE stream IS NOT NULL AND engine IS NOT NULL
GROUP BY stream
HAVING count(DISTINCT engine) = 1
ORDER BY stream
