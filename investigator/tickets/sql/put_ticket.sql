INSERT OR REPLACE INTO tickets.tickets VALUES (?, ?, ?, ?, ?, ?)
