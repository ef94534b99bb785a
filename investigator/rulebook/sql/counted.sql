SELECT outcome_, count(*), list_sort(list(DISTINCT reason_) FILTER (reason_ IS NOT NULL)),
    list({whole}) FILTER (outcome_ = 'fired'),
    arg_min({told}, subject, {listed}) FILTER (outcome_ <> 'fired')
FROM (SELECT * REPLACE (CAST(subject AS VARCHAR) AS subject) FROM ({judged}))
GROUP BY outcome_
