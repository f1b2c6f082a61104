with source as (
    {{ current_versions(source('generic', 'stage_changes')) }}
),

renamed as (
    select
        -- ids
        'generic:' || deal_id as deal_id,
        'generic:' || changed_by as changed_by_id,

        -- attributes
        'generic' as crm,
        from_stage,
        to_stage,

        -- timestamps, UTC
        changed_at,
        coalesce(recorded_at, changed_at) as recorded_at
    from source
)

select * from renamed
