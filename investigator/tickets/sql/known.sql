SELECT ticket
FROM tickets.tickets
WHERE tracker = $tracker AND base_url = $base_url AND project = $project AND fingerprint = $fingerprint
