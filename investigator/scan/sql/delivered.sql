DELETE FROM nights.outbox WHERE night = $night AND service = $service
