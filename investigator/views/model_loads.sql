-- each stay of a model in memory
CREATE OR REPLACE TEMP VIEW model_loads AS
SELECT
    load_id, stream, stretch, engine, model_key, model, model_path, started_at, ready_at, ended_at, end_reason,
    load_s, ok, error, error_class, window_tokens, total_ctx_tokens, slots, native_window_tokens, window_source,
    kv_type, flash_attention, layers_gpu, layers_total, weights_bytes, kv_bytes, compute_bytes, total_bytes,
    cpu_bytes, kv_bytes_per_token, requests, layers_requested, cpu_only, requested_window_tokens,
    idle_before_s, keep_alive_s, evidence
FROM derived.model_loads
