-- each device a server may compute on, as last seen
CREATE OR REPLACE TEMP VIEW devices AS
SELECT
    device_id, stream, stretch, library, name, device_kind, total_bytes, available_bytes, evidence
FROM derived.devices
