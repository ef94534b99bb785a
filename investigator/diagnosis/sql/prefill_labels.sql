SELECT subject, label
FROM operands
WHERE view = 'attempts' AND column_name = 'prefill_s'
ORDER BY subject
