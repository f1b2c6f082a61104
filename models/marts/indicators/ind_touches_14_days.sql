{{ contacts_in_days('is_touch', 14) }}
