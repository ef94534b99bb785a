-- How far each server's requests were known before tonight.
SELECT stream, max(arrived_at) AS known_to FROM derived.requests WHERE arrived_at IS NOT NULL GROUP BY stream ORDER BY stream
