"""Audited marts to BI: one DuckDB file and Parquet, replaced in one step."""
