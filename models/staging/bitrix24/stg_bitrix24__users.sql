-- A user's manager leads the user's department; who leads it reports to the head of the one above.
with source as (
    {{ current_versions(source('bitrix24', 'users')) }}
),

departments as (
    {{ current_versions(source('bitrix24', 'departments')) }}
),

renamed as (
    select
        -- ids
        'bitrix24:' || source.id as user_id,
        'bitrix24:' || nullif(case when own.uf_head = source.id then above.uf_head else own.uf_head end, '0') as manager_id,

        -- attributes
        'bitrix24' as crm,
        trim(coalesce(source.name, '') || ' ' || coalesce(source.last_name, '')) as user_name,
        own.name as team,

        -- booleans
        coalesce(lower(source.active) in ('true', 'y', '1'), true) as is_active
    from source
    left join departments as own on {{ json_text('source.uf_department', '$[0]') }} = own.id
    left join departments as above on own.parent = above.id
)

select * from renamed
