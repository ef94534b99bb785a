INSERT OR REPLACE INTO meta.case_info VALUES ('version', $version), ('layout', $layout)
