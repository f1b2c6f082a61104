"""dbt as Dagster assets."""
