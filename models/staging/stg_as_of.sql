{{ config(materialized='table') }}

-- The clock of the whole project. No model asks for the time of day: the same extracts give the same tables
-- whenever they are run. A table, so that all models of a night see one moment.
select
    {% if var('as_of') %}
        cast('{{ var("as_of") }}' as {{ dbt.type_timestamp() }}) as as_of,
    {% else %}
        max(extracted_at) as as_of,
    {% endif %}
    max(load_id) as newest_load_id
from {{ source('landing', 'files') }}
where status in ('landed', 'repeated', 'retried')
