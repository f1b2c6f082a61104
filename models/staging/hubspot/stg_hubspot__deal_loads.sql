-- Which load bears on which deal: stg_generic__deal_loads has the reasons.
with deals as (
    select
        deal_id,
        {{ hubspot_property('hs_primary_associated_company') }} as company_id
    from {{ source('hubspot', 'deal') }}
),

engagement_deals as (
    select distinct
        engagement_id,
        deal_id
    from {{ ref('base_hubspot__engagement_deals') }}
),

company_deals as (
    select
        deal_id,
        company_id
    from {{ source('hubspot', 'deal_company') }}
    union all
    select
        id as deal_id,
        other_id as company_id
    from ({{ hubspot_associations(source('hubspot', 'deal'), 'deal_id', 'companies') }}) as nested
    union all
    select
        deal_id,
        company_id
    from deals
    where company_id is not null
),

contact_deals as (
    select
        deal_id,
        contact_id
    from {{ source('hubspot', 'deal_contact') }}
    union all
    select
        id as deal_id,
        other_id as contact_id
    from ({{ hubspot_associations(source('hubspot', 'deal'), 'deal_id', 'contacts') }}) as nested
),

meetings as (
    select
        engagement_id as deal_id,
        coalesce(
            {{ hubspot_property('hs_meeting_start_time', 'timestamp') }},
            {{ hubspot_property('hs_timestamp', 'timestamp') }}
        ) as began_at,
        _extracted_at
    from {{ source('hubspot', 'engagement_meeting') }}
),

-- deal_id stands for the engagement here
engagement_loads as (
    {% for kind in ['call', 'email', 'meeting', 'note', 'task'] %}
        {{ loads_of(source('hubspot', 'engagement_' ~ kind), 'engagement_id') }}
        union all
    {% endfor %}
    {{ loads_by_when('meetings', 'began_at') }}
),

changes as (
    select
        deal_id,
        name,
        source_id,
        timestamp as changed_at,
        _load_id
    from {{ source('hubspot', 'deal_property_history') }}
),

loads as (
    {% for entity in ['deal', 'deal_stage', 'deal_property_history', 'deal_company', 'deal_contact', 'merged_deal'] %}
        {{ loads_of(source('hubspot', entity)) }}
        union all
    {% endfor %}
    {{ loads_of(source('hubspot', 'merged_deal'), 'merged_deal_id') }}
    union all
    {{ loads_of(ref('base_hubspot__engagement_deals')) }}
    union all
    select
        engagement_deals.deal_id,
        engagement_loads.load_id
    from engagement_loads
    inner join engagement_deals on engagement_loads.deal_id = engagement_deals.engagement_id
    union all
    {{ loads_of_siblings('changes', 'name', 'source_id') }}
    union all
    select
        company_deals.deal_id,
        companies._load_id as load_id
    from {{ source('hubspot', 'company') }} as companies
    inner join company_deals on companies.company_id = company_deals.company_id
    union all
    select
        contact_deals.deal_id,
        contacts._load_id as load_id
    from {{ source('hubspot', 'contact') }} as contacts
    inner join contact_deals on contacts.contact_id = contact_deals.contact_id
    union all
    -- owners name teams and those who made changes: few rows, any deal
    select
        deals.deal_id,
        dictionaries.load_id
    from (
        {{ loads_that_changed(source('hubspot', 'deal_pipeline'), 'pipeline_id', ['label', 'stages']) }}
        union
        {{ loads_that_changed(
            source('hubspot', 'deal_pipeline_stage'), 'pipeline_id, stage_id',
            ['label', 'display_order', 'probability', 'is_closed', 'closed_won']
        ) }}
        union
        {{ loads_that_changed(source('hubspot', 'owner'), 'owner_id', ['active_user_id', 'email', 'teams']) }}
        union
        {{ loads_that_changed(source('hubspot', 'owner_team'), 'owner_id, team_id', ['is_team_primary']) }}
        union
        {{ loads_that_changed(source('hubspot', 'team'), 'team_id', ['name']) }}
    ) as dictionaries
    cross join deals
)

select
    'hubspot:' || deal_id as deal_id,
    load_id
from loads
where deal_id is not null
