SELECT rule, place, model, list(ratio ORDER BY night) AS ratios
FROM nights.misses
WHERE night >= $since
GROUP BY rule, place, model
ORDER BY rule, place, model
