{{ config(materialized='table') }}

-- What a CRM gives at all. A way of doing a step that a CRM never tells of cannot be missing in its deals, and a
-- proxy counts only where the CRM gives nothing better.
with crms as (
    select distinct crm from {{ ref('int_stages_completed') }}
),

given as (
    select
        crm,
        'stage_reached' as kind
    from crms
    union all
    select
        crm,
        'won' as kind
    from crms
    union all
    select
        crm,
        capability as kind
    from {{ ref('int_capabilities_found') }}
),

measured as (
    select
        given.crm,
        evidence.*,
        min(case when evidence.is_proxy then 2 else 1 end) over (partition by given.crm, evidence.evidence) as best
    from {{ ref('journey_evidence') }} as evidence
    inner join given on evidence.kind = given.kind
)

select
    crm,
    evidence,
    kind,
    name,
    direction,
    outcome,
    may_precede
from measured
where best = case when is_proxy then 2 else 1 end
