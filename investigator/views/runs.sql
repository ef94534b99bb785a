-- one agent session, or one stretch of a server without an agent
CREATE OR REPLACE TEMP VIEW runs AS
SELECT
    run_id, agent, session_id, started_at, ended_at, calls, failed_calls, compactions,
    least_compacted_tokens, same_results, evidence
FROM derived.runs
