-- A verdict answers one of two questions, which segment and whether the deal counts in the norms, and each question
-- keeps its own latest answer: to say that a deal is typical does not take back the segment decided before.
with verdicts as (
    select
        verdicts.*,
        row_number() over (
            partition by verdicts.deal_id, verdicts.verdict = 'segment'
            order by verdicts.decided_on desc, verdicts.verdict_number desc
        ) as recency_of_question,
        row_number() over (
            partition by verdicts.deal_id
            order by verdicts.decided_on desc, verdicts.verdict_number desc
        ) as recency
    from {{ ref('review_verdicts') }} as verdicts
    where verdicts.decided_on <= (select cast(as_of as date) from {{ ref('stg_as_of') }})
)

select
    deal_id,
    max(case when verdict = 'segment' then segment end) as segment,
    max(case when verdict = 'segment' then decided_by end) as segment_decided_by,
    max(case when verdict = 'segment' then decided_on end) as segment_decided_on,
    max(case when verdict <> 'segment' then verdict end) as norms_verdict,
    max(case when verdict <> 'segment' then decided_on end) as norms_decided_on,
    max(case when recency = 1 then verdict end) as verdict,
    max(case when recency = 1 then decided_by end) as decided_by,
    max(case when recency = 1 then decided_on end) as decided_on
from verdicts
where recency_of_question = 1
group by deal_id
