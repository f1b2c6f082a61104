-- Owners with their main team: a loader's tables, or a list within each owner in REST pages.
with owners as (
    {{ current_versions(source('hubspot', 'owner')) }}
),

teams as (
    {{ current_versions(source('hubspot', 'team')) }}
),

memberships as (
    select
        members.owner_id,
        min(case when members.is_team_primary then teams.name end) as primary_team,
        min(teams.name) as any_team
    from ({{ current_versions(source('hubspot', 'owner_team')) }}) as members
    inner join teams on members.team_id = teams.team_id
    group by members.owner_id
)

select
    -- ids
    'hubspot:' || owners.owner_id as user_id,
    cast(null as {{ dbt.type_string() }}) as manager_id,

    -- attributes
    'hubspot' as crm,
    coalesce(
        nullif(trim(coalesce(owners.first_name, '') || ' ' || coalesce(owners.last_name, '')), ''), owners.email
    ) as user_name,
    coalesce(
        memberships.primary_team, memberships.any_team, {{ json_text('owners.teams', '$[0].name') }}
    ) as team,

    -- booleans
    not coalesce(owners.is_archived, false) as is_active
from owners
left join memberships on owners.owner_id = memberships.owner_id
