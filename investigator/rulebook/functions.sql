-- The capacity functions as SQL macros: ten times faster than calls into Python, and allowed on a read-only connection.
-- tests/rulebook/test_functions.py compares each with investigator.capacity on many values. NULL in, NULL out.
CREATE OR REPLACE TEMP MACRO prefill_s(to_read_tokens, cached_tokens, r0_tps, c_s_per_token2) AS
    to_read_tokens / nullif(r0_tps, 0)::DOUBLE
    + c_s_per_token2::DOUBLE * to_read_tokens * (2 * cached_tokens::DOUBLE + to_read_tokens);

CREATE OR REPLACE TEMP MACRO mean_prefill_tps(to_read_tokens, cached_tokens, r0_tps, c_s_per_token2) AS
    to_read_tokens / nullif(prefill_s(to_read_tokens, cached_tokens, r0_tps, c_s_per_token2), 0);

CREATE OR REPLACE TEMP MACRO prefill_tps_at(depth_tokens, r0_tps, c_s_per_token2) AS
    1.0::DOUBLE / nullif(1.0::DOUBLE / nullif(r0_tps, 0) + 2.0::DOUBLE * c_s_per_token2 * depth_tokens, 0);

CREATE OR REPLACE TEMP MACRO prefill_slope(r0_tps, c_s_per_token2, cached_tokens) AS
    1.0::DOUBLE / nullif(r0_tps, 0) + 2.0::DOUBLE * c_s_per_token2 * cached_tokens;

-- greatest() skips NULL, so an unknown limit must be kept out of it.
CREATE OR REPLACE TEMP MACRO largest_prompt_tokens(timeout_s, r0_tps, c_s_per_token2, cached_tokens) AS
    2.0::DOUBLE * CASE WHEN timeout_s < 0 THEN 0 ELSE timeout_s END
    / nullif(
        prefill_slope(r0_tps, c_s_per_token2, cached_tokens)
        + sqrt(
            prefill_slope(r0_tps, c_s_per_token2, cached_tokens) ** 2
            + 4.0::DOUBLE * c_s_per_token2 * CASE WHEN timeout_s < 0 THEN 0 ELSE timeout_s END
        ),
        0
    );

CREATE OR REPLACE TEMP MACRO safety_factor(depth_tokens, deepest_fitted_tokens) AS
    CASE
        WHEN depth_tokens / nullif(deepest_fitted_tokens, 0) > 2 THEN 1.6
        WHEN depth_tokens / nullif(deepest_fitted_tokens, 0) <= 2 THEN 1.3
    END::DOUBLE;

CREATE OR REPLACE TEMP MACRO kv_type_factor(kv_type) AS
    CASE lower(kv_type)
        WHEN 'f32' THEN 2.0
        WHEN 'f16' THEN 1.0
        WHEN 'bf16' THEN 1.0
        WHEN 'q8_0' THEN 0.53125
        WHEN 'q5_1' THEN 0.375
        WHEN 'q5_0' THEN 0.34375
        WHEN 'q4_1' THEN 0.3125
        WHEN 'q4_0' THEN 0.28125
        WHEN 'iq4_nl' THEN 0.28125
        WHEN 'none' THEN 0.0
    END::DOUBLE;

CREATE OR REPLACE TEMP MACRO kv_bytes_at(window_tokens, slots, bytes_per_token_f16, kv_type) AS
    slots * ceil(window_tokens / 256.0::DOUBLE) * 256 * bytes_per_token_f16 * kv_type_factor(kv_type);

CREATE OR REPLACE TEMP MACRO cut_difference(keep_tokens, window_tokens, prompt_tokens, first_difference_token) AS
    CASE
        WHEN first_difference_token < keep_tokens OR prompt_tokens <= window_tokens THEN first_difference_token
        WHEN first_difference_token - (prompt_tokens - window_tokens) > keep_tokens
        THEN first_difference_token - (prompt_tokens - window_tokens)
        ELSE keep_tokens
    END;

CREATE OR REPLACE TEMP MACRO reused_after_cut(keep_tokens, window_tokens, prompt_tokens, first_difference_token) AS
    CASE
        WHEN keep_tokens IS NULL OR window_tokens IS NULL OR prompt_tokens IS NULL OR first_difference_token IS NULL THEN NULL
        ELSE greatest(
            0,
            least(
                cut_difference(keep_tokens, window_tokens, prompt_tokens, first_difference_token),
                greatest(least(prompt_tokens, window_tokens) - 1, 0)
            )
        )
    END::DOUBLE;

CREATE OR REPLACE TEMP MACRO gib(bytes) AS bytes / 1073741824.0::DOUBLE;
