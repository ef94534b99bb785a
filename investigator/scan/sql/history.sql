-- Every word on every incident since a night, for the overview.
SELECT night, identity, change, title, cause, severity, sentence, model, place, failed_calls, first_night, nights, report
FROM nights.incidents
WHERE night >= $since
ORDER BY night, identity
