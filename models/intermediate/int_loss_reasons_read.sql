-- What each stated reason means, by the first of the words in seeds/loss_reason_words.csv that one of its words begins
-- with. A reason of which no word is known is one of its own kind; none, or one that says nothing, is unknown.
with stated as (
    select distinct loss_reason as stated_reason
    from {{ ref('int_loss_deals') }}
    where loss_reason is not null
),

matched as (
    select
        stated.stated_reason,
        min_by(words.reason, words.priority) as reason
    from stated
    inner join {{ ref('loss_reason_words') }} as words
        on ' ' || replace(replace(lower(stated.stated_reason), '/', ' '), '-', ' ') like '% ' || words.word || '%'
    group by stated.stated_reason
)

select
    stated.stated_reason,
    coalesce(matched.reason, case when length(trim(stated.stated_reason)) > 1 then 'other' else 'unknown' end) as reason
from stated
left join matched on stated.stated_reason = matched.stated_reason
