-- where each number of a view's row comes from
CREATE OR REPLACE TEMP VIEW operands AS
SELECT
    view, subject, column_name, label, evidence, note
FROM derived.operands
