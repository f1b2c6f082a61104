{{ config(severity='warn') }}

-- A deal ends after it was created. Where the CRM has it otherwise, as after an import, its cycle time is
-- negative and to be left out.
select
    deal_id,
    created_at,
    won_at,
    lost_at
from {{ ref('fct_deals') }}
where won_at < created_at or lost_at < created_at
