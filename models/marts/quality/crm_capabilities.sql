-- What cannot be measured in a CRM, and why: a mart that is null for its deals is null because of a row here. A thing is
-- given once any extract has held it; what an export leaves out may come with a later one.
{% set capabilities = {
    'stage_history': 'a log of moves between stages; without it moves are those between two nights',
    'amount_log': 'a log of the amount; without it changes are those between two nights',
    'expected_close_date_log': 'a log of the expected close date; without it changes are those between two nights',
    'owner_id_log': 'a log of the owner; without it hand-overs are those between two nights',
    'task': 'tasks, and whether they are done',
    'task_completion': 'the time at which a task was done',
    'original_deadline': 'the first deadline of a task',
    'activity': 'calls, mails, meetings or notes',
    'two_way_mail': 'mails from the client',
    'contact': 'the people of a deal',
    'decision_maker': 'who of them decides',
    'revenue_event': 'first use, invoices or payments after the win',
} %}
with crms as (
    select distinct crm from {{ source('landing', 'files') }}
    where status in ('landed', 'repeated') and crm in (select crm from {{ ref('dim_stages') }})
),

capabilities as (
    {% for capability, meaning in capabilities.items() %}
        select
            '{{ capability }}' as capability,
            '{{ meaning }}' as meaning
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    crms.crm,
    capabilities.capability,
    capabilities.meaning,
    found.crm is not null as is_given,
    case when found.crm is null then 'no extract of ' || crms.crm || ' has held ' || capabilities.meaning end as reason,
    found.began_at as log_began_at
from crms
cross join capabilities
left join {{ ref('int_capabilities_found') }} as found
    on crms.crm = found.crm and capabilities.capability = found.capability
