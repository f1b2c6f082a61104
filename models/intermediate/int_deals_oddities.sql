{{ config(materialized='table') }}

-- An open deal is odd where its amount, its age, its time in the stage or its path lies far outside those of its
-- segment's ended deals, and only where there are enough of them to tell.
select * from {{ ref('int_deals_outside_fences') }}
union all
select * from {{ ref('int_deals_on_rare_paths') }}
union all
select * from {{ ref('int_deals_moved_back_often') }}
