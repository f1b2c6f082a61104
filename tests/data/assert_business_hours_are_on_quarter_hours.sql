-- Hours are written HH:MM and begin and end on a quarter of an hour: int_business_slots counts in quarters.
{%- set times = ["'24:00'"] -%}
{%- for hour in range(24) -%}
    {%- for minute in [0, 15, 30, 45] -%} {%- do times.append("'%02d:%02d'" | format(hour, minute)) -%} {%- endfor -%}
{%- endfor %}
select *
from {{ ref('business_hours') }}
where
    opens_at is null
    or closes_at is null
    or opens_at not in ({{ times | join(', ') }})
    or closes_at not in ({{ times | join(', ') }})
