-- Calls, mails, meetings and notes, once for each deal they are of. A meeting counts once it has begun.
{% set directions = {
    'call': ('hs_call_direction', {'INBOUND': 'in', 'OUTBOUND': 'out'}),
    'email': ('hs_email_direction', {'INCOMING_EMAIL': 'in', 'EMAIL': 'out', 'FORWARDED_EMAIL': 'out'}),
} %}
{% set outcomes = {'call': 'hs_call_disposition', 'meeting': 'hs_meeting_outcome'} %}
with engagements as (
    {% for kind in ['call', 'email', 'meeting', 'note'] %}
        select
            engagement_id,
            {{ hubspot_property('hubspot_owner_id') }} as owner_id,
            '{{ kind }}' as activity_type,
            {% if kind in directions %}
                case {{ hubspot_property(directions[kind][0]) }}
                    {% for value, direction in directions[kind][1].items() %}
                        when '{{ value }}' then '{{ direction }}'
                    {% endfor %}
                end as direction,
            {% else %}
                cast(null as {{ dbt.type_string() }}) as direction,
            {% endif %}
            {% if kind in outcomes %}
                {{ hubspot_property(outcomes[kind]) }} as outcome,
            {% else %}
                cast(null as {{ dbt.type_string() }}) as outcome,
            {% endif %}
            {% if kind == 'meeting' %}
                coalesce(
                    {{ hubspot_property('hs_meeting_start_time', 'timestamp') }},
                    {{ hubspot_property('hs_timestamp', 'timestamp') }}
                ) as occurred_at,
            {% else %}
                {{ hubspot_property('hs_timestamp', 'timestamp') }} as occurred_at,
            {% endif %}
            {{ hubspot_property('hs_createdate', 'timestamp') }} as logged_at
        from ({{ current_versions(source('hubspot', 'engagement_' ~ kind)) }}) as {{ kind }}s
        where not coalesce(is_deleted, false)
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

deals as (
    select distinct
        engagement_id,
        deal_id
    from ({{ current_versions(ref('base_hubspot__engagement_deals')) }}) as engagement_deals
)

select
    -- ids
    'hubspot:' || engagements.engagement_id as activity_id,
    'hubspot:' || deals.deal_id as deal_id,
    'hubspot:' || engagements.owner_id as owner_id,
    cast(null as {{ dbt.type_string() }}) as contact_id,

    -- attributes
    'hubspot' as crm,
    engagements.activity_type,
    engagements.direction,
    engagements.outcome,

    -- timestamps, UTC
    engagements.occurred_at,
    coalesce(engagements.logged_at, engagements.occurred_at) as logged_at
from engagements
left join deals on engagements.engagement_id = deals.engagement_id
where engagements.occurred_at <= (select as_of from {{ ref('stg_as_of') }})
