-- Cache and recurrent state as the engine printed them in the last load that told cells and layers: a row per kind of layer.
WITH parts AS (
    SELECT
        source_id, byte_offset, part, device, cells, layers, size_bytes, type_k, type_v,
        count(*) FILTER (part = 'weights') OVER (PARTITION BY source_id ORDER BY byte_offset) AS load_no
    FROM facts.memory_part
),
told AS (
    SELECT source_id, load_no
    FROM parts
    WHERE part = 'kv_cache' AND cells > 0 AND layers > 0
    ORDER BY byte_offset DESC, source_id
    LIMIT 1
)
SELECT DISTINCT part, cells, layers, size_bytes, type_k, type_v
FROM parts JOIN told USING (source_id, load_no)
WHERE (part = 'kv_cache' AND cells > 0 AND layers > 0) OR part = 'recurrent_state'
ORDER BY part, cells DESC, layers, size_bytes
