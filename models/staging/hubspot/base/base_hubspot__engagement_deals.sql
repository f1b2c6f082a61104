-- Which engagement is of which deals: a loader's table, or within each engagement in REST pages. Every version, since
-- a load of any of them bears on its deals.
{% set kinds = ['call', 'email', 'meeting', 'note', 'task'] %}
select
    engagement_id,
    deal_id,
    _load_id,
    _extracted_at,
    _superseded_at,
    _superseded_load_id
from {{ source('hubspot', 'engagement_deal') }}
{% for kind in kinds %}
    union all
    select
        id as engagement_id,
        other_id as deal_id,
        _load_id,
        _extracted_at,
        _superseded_at,
        _superseded_load_id
    from ({{ hubspot_associations(source('hubspot', 'engagement_' ~ kind), 'engagement_id', 'deals') }}) as {{ kind }}s
{% endfor %}
