{{ known_rows(ref('crm_field_changes_all'), 'changed_at <= ' ~ as_of()) }}
