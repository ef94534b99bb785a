-- What a case's logs say of each model: sizes, window and reading speed of its last attempt that knows them.
SELECT
    model_key,
    arg_max(model, arrived_at) FILTER (model IS NOT NULL) AS model,
    list(DISTINCT model ORDER BY model) FILTER (model IS NOT NULL) AS names,
    arg_max(weights_bytes, arrived_at) FILTER (weights_bytes IS NOT NULL) AS weights_bytes,
    arg_max(kv_bytes_per_token, arrived_at) FILTER (kv_bytes_per_token IS NOT NULL) AS kv_bytes_per_token,
    arg_max(native_window_tokens, arrived_at) FILTER (native_window_tokens IS NOT NULL) AS native_window_tokens,
    arg_max(compute_bytes, arrived_at) FILTER (compute_bytes IS NOT NULL) AS compute_bytes,
    arg_max(window_tokens * coalesce(slots, 1), arrived_at) FILTER (compute_bytes IS NOT NULL) AS compute_at_tokens,
    arg_max(coalesce(slots, 1), arrived_at) FILTER (weights_bytes IS NOT NULL) AS slots,
    arg_max(layers_total, arrived_at) FILTER (layers_total IS NOT NULL) AS layers_total,
    arg_max(memory_limit_bytes, arrived_at) FILTER (memory_limit_bytes IS NOT NULL) AS memory_limit_bytes,
    arg_max(memory_limit_basis, arrived_at) FILTER (memory_limit_basis IS NOT NULL) AS memory_limit_basis,
    arg_max(prefill_r0, arrived_at) FILTER (prefill_r0 IS NOT NULL) AS prefill_r0,
    arg_max(prefill_c, arrived_at) FILTER (prefill_c IS NOT NULL) AS prefill_c,
    max(prefill_spread) AS prefill_spread,
    max(prefill_points) AS prefill_points,
    max(prefill_fitted_to_tokens) AS prefill_fitted_to_tokens
FROM attempts
WHERE model_key IS NOT NULL
GROUP BY model_key
ORDER BY count(*) DESC, model_key
