-- What was done with the client. Kinds that a company added are tasks only: nobody knows whether the client took part.
-- A meeting that is ticked off on Friday took place when it was due; a call that is made early, when it was ticked off.
{% set kinds = {'call': 'call', 'email': 'email', 'meeting': 'meeting', 'lunch': 'meeting', 'note': 'note'} %}
select
    -- ids
    activity_id,
    deal_id,
    owner_id,
    contact_id,

    -- attributes
    'pipedrive' as crm,
    case lower(activity_type)
        {% for kind, type in kinds.items() %}
            when '{{ kind }}' then '{{ type }}'
        {% endfor %}
    end as activity_type,
    cast(null as {{ dbt.type_string() }}) as direction, -- Pipedrive does not say who called whom
    cast(null as {{ dbt.type_string() }}) as outcome,

    -- timestamps, UTC
    least(coalesce(due_at, done_at), coalesce(done_at, due_at)) as occurred_at,
    coalesce(done_at, due_at) as logged_at
from {{ ref('base_pipedrive__activities') }}
where
    is_done
    and coalesce(done_at, due_at) <= (select as_of from {{ ref('stg_as_of') }})
    and lower(activity_type) in ('{{ kinds.keys() | join("', '") }}')
