-- The last word on each incident, unless it was that it is gone.
SELECT identity, title, cause, severity, sentence, model, place, failed_calls, first_night, nights
FROM nights.incidents
QUALIFY row_number() OVER (PARTITION BY identity ORDER BY night DESC) = 1 AND change <> 'gone'
ORDER BY identity
