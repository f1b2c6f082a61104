-- A time zone is an IANA name that the engine knows: Europe/Berlin.
select *
from {{ ref('business_hours') }}
where time_zone is null or not {{ is_known_time_zone('time_zone') }}
