{{ known_rows(ref('crm_stage_changes_all'), 'greatest(changed_at, recorded_at) <= ' ~ as_of()) }}
