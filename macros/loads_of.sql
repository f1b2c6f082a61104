{# Which load bears on which deal by the rows of a raw table: the one that brought a version, and the one that
   superseded it. #}
{% macro loads_of(raw, deal_id='deal_id') -%}
    select
        {{ deal_id }} as deal_id,
        _load_id as load_id
    from {{ raw }}
    union all
    select
        {{ deal_id }} as deal_id,
        _superseded_load_id as load_id
    from {{ raw }}
    where _superseded_load_id is not null
{%- endmacro %}

{# The loads of a dictionary that bear on all deals: those in which one of these columns changed. CRMs also note there
   when a user logged in, which bears on nothing. #}
{% macro loads_that_changed(raw, key, columns) -%}
    select distinct _load_id as load_id
    from (
        select
            _load_id,
            {{ _as_one_text(columns) }} as content,
            lag({{ _as_one_text(columns) }}) over (
                partition by {{ key }} order by _extracted_at, _load_id
            ) as previous_content
        from {{ raw }}
    ) as versions
    where content is distinct from previous_content
{%- endmacro %}

{# An edit bears on the deals that its user edited in the same field and minute: together they may be a bulk edit. #}
{% macro loads_of_siblings(changes, field, changed_by, changed_at='changed_at') -%}
    select
        siblings.deal_id,
        edits._load_id as load_id
    from (
        select distinct
            {{ changed_by }} as changed_by,
            {{ field }} as field,
            {{ dbt.date_trunc('minute', changed_at) }} as changed_in_minute,
            _load_id
        from {{ changes }}
    ) as edits
    inner join {{ changes }} as siblings
        on
            edits.changed_by = siblings.{{ changed_by }}
            and edits.field = siblings.{{ field }}
            and edits.changed_in_minute = {{ dbt.date_trunc('minute', 'siblings.' ~ changed_at) }}
            and edits._load_id > siblings._load_id
{%- endmacro %}

{% macro _as_one_text(columns) -%}
    {%- for column in columns -%}
        coalesce(cast({{ column }} as {{ dbt.type_string() }}), '') {{ "|| '|' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
