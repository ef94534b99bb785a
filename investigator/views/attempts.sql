-- one row per server request, and one per agent call that owns none
CREATE OR REPLACE TEMP VIEW attempts AS
SELECT
    attempt_id, call_id, run_id, stream, stretch, try_no, tries, work_id, seen_by, pairing_confidence,
    pairing_reasons, agent, session_id, provider, model, model_key, route, client, zone_offset_s, arrived_at,
    ended_at, duration_s, duration_uncertainty_s, status, outcome, failed, error_class, error_text, server_outcome,
    answer_begun, waited_after_s, left_open, asked_tokens,
    believed_window_tokens, window_tokens, window_source, native_window_tokens, keep_tokens, read_tokens, cut_tokens,
    overflow_action, cached_tokens, reusable_tokens, output_tokens, slots, kv_type, flash_attention, layers_gpu,
    layers_total, queue_s, load_s, prefill_s, prefill_tps, decode_s, decode_tps, progress_tokens,
    slot_held_s, prefill_r0, prefill_c, prefill_spread, prefill_points, prefill_fitted_to_tokens, deepest_tps,
    deepest_tokens, timeout_s, timeout_layer, timeout_key, timeout_covers, weights_bytes, kv_bytes_per_token, kv_bytes, compute_bytes,
    memory_limit_bytes, memory_limit_basis, evidence
FROM derived.attempts
