"""Pulling extracts from a CRM's API, as the files that landing reads: `inflight pull <crm>`."""
