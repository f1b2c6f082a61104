{# What was planned when it was extracted has happened by a later night, without any news of it: the first load by then
   bears on its deal. #}
{% macro loads_by_when(planned, at) -%}
    select
        planned.deal_id,
        min(files.load_id) as load_id
    from {{ planned }} as planned
    inner join {{ source('landing', 'files') }} as files
        on planned.{{ at }} <= files.extracted_at and files.status in ('landed', 'repeated')
    where planned.{{ at }} > planned._extracted_at
    group by planned.deal_id, planned.{{ at }}
{%- endmacro %}
