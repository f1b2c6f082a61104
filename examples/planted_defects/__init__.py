"""A small CRM extract with defects planted in it, landed as it is."""
