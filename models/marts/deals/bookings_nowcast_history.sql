{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook=[
        {'sql': '{{ add_new_columns() }}', 'transaction': false},
        "{% if is_incremental() %} delete from {{ this }} where as_of = (select cast(as_of as date) from {{ ref('stg_as_of') }}) {% endif %}",
    ]
) }}
{%- set clock = ref('stg_as_of') %}

-- Every night's nowcast as it was told. Kept, not derived (decision 12); a second run of the same night replaces the first.
select
    as_of,
    horizon,
    made_on,
    horizon_ends_on,
    segment,
    team,
    currency,
    booked_so_far,
    expected_open,
    expected_new,
    median,
    low_80,
    high_80,
    target,
    crm_weights,
    last_period,
    same_period_last_year
from {{ ref('bookings_nowcast') }}
where median is not null
