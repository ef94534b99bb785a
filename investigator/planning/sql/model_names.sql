-- Names under which the logs may know what a model is: its parents, its architecture, its file.
SELECT DISTINCT name
FROM (
    SELECT unnest([parent_model, architecture, model_name]) AS name FROM facts.model_spec
    UNION ALL
    SELECT unnest([model_name, model_path]) AS name FROM facts.runner_start
)
WHERE name IS NOT NULL
ORDER BY name
