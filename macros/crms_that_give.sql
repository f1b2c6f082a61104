{# The CRMs in which earlier nights found the capability, as literals: a constant lets the planner leave out the scan. #}
{% macro crms_that_give(capability) -%}
    {%- set crms = [''] -%}
    {%- if execute and is_incremental() -%}
        {%- set found = run_query("select crm from " ~ this ~ " where capability = '" ~ capability ~ "'") -%}
        {%- do crms.extend(found.columns[0].values()) -%}
    {%- endif -%}
    '{{ crms | join("', '") }}'
{%- endmacro %}
