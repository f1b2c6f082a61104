{{ contacts_in_days('is_reply', 14) }}
