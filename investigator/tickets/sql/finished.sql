-- Whether all rungs of the latest delivery were reached, the report among them; a run that ended early left no report.
SELECT bool_and(done) FILTER (rung != 'picture') AND bool_or(rung = 'report') AS finished
FROM tickets.deliveries
WHERE tracker = $tracker AND fingerprint = $fingerprint
GROUP BY delivered_at
ORDER BY delivered_at DESC
LIMIT 1
