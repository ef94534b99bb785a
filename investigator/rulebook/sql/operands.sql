SELECT view, subject, column_name, label, evidence, note
FROM operands
WHERE subject IN (SELECT unnest($subjects))
ORDER BY ALL
