-- What comes from the mix of segments, from the mix of channels and from the rates is all of the difference.
select *
from {{ ref('cohort_same_age') }}
where abs(difference - segment_mix_effect - channel_mix_effect - rate_effect) > 0.000000001
