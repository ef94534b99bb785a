-- Values of the last nights by place, model and kind, oldest first.
SELECT place, model, kind, list(value ORDER BY night) AS values
FROM nights.measures
WHERE night >= $since AND samples >= $samples
GROUP BY place, model, kind
ORDER BY place, model, kind
