{#
    What could have turned bad while a deal was in a stage, and how far it did: a step of the journey that was due by then,
    a decision maker who should be on the deal when it enters. A stay counts at so many days after each deadline
    (loss_delays) at which it still lasted, and as late at those of them at which the thing was still not done. So late
    and in time are compared among stays that had lasted as long; one that ended before the deadline says nothing. What
    was late in an earlier stage counts from the entry on.

    A dead deal's steps are not done because it is dead. So what is learnt (is_learnt) is learnt of deals whose client was
    heard after the deadline, late or in time; and of a deal that was lost, a step that was never done is left out where
    the client was not heard after its deadline.

        with stays as (
            select deal_number, entered_at, lasted_until_at, last_heard_at, decider_at, is_decider_told, … from …
        )
        {{ exposures_of('stays', [other columns of stays]) }}

    One row per stay and thing, with these columns, deal_number, thing, due_at, delays_lasted, delays_late and, of what
    is learnt, delays_heard: those after which the client was heard again. Narrow, because there are thirty million of
    them in a million deals.
#}
{% macro exposures_of(stays, columns=[], is_learnt=false) -%}
    select
        deal_number,
        {% for column in columns %} {{ column }}, {% endfor %}
        thing,
        due_at,
        {{ delays_within(dbt.datediff('due_at', 'lasted_until_at', 'second')) }} as delays_lasted,
        {{ delays_within(dbt.datediff('due_at', 'late_until_at', 'second')) }} as delays_late
        {%- if is_learnt %},
            {{ delays_within(dbt.datediff('due_at', 'last_heard_at', 'second'), if_unknown=true) }} as delays_heard
        {%- endif %}
    from (
        select
            stays.deal_number,
            {% for column in columns %} stays.{{ column }}, {% endfor %}
            'decision_maker' as thing,
            stays.entered_at as due_at,
            stays.lasted_until_at,
            least(stays.lasted_until_at, coalesce(stays.decider_at, stays.lasted_until_at)) as late_until_at
            {%- if is_learnt %}, stays.last_heard_at {%- endif %}
        from {{ stays }} as stays
        -- of a CRM that does not say who decides, nothing is known
        where stays.is_decider_told
        union all
        select
            stays.deal_number,
            {% for column in columns %} stays.{{ column }}, {% endfor %}
            steps.step as thing,
            steps.due_at,
            stays.lasted_until_at,
            least(stays.lasted_until_at, coalesce(steps.done_at, stays.lasted_until_at)) as late_until_at
            {%- if is_learnt %}, stays.last_heard_at {%- endif %}
        from {{ stays }} as stays
        inner join {{ ref('fct_journey_steps') }} as steps
            on stays.deal_number = steps._deal_number and steps.due_at < stays.lasted_until_at
        where
            steps.phase <> 'onboarding'
            and steps.not_measurable_reason is null
            and (
                {% if not is_learnt %} steps.done_at < stays.lasted_until_at or {% endif %}
                -- of a CRM without activities, nobody knows
                coalesce(stays.last_heard_at > steps.due_at, true)
            )
            -- who decides is told by the people on the deal
            and steps.step not in ({{ decider_steps() }})
    ) as things
{%- endmacro %}

{# What it is called when it has cost a deal. #}
{% macro cause_of(thing) -%}
    {%- set named = var('indicator_steps') -%}
    case {{ thing }}
        when 'decision_maker' then 'no_decision_maker'
        when '{{ named["proposal"] }}' then 'late_proposal'
        when '{{ named["legal"] }}' then 'legal_stalled'
        else 'step_missed'
    end
{%- endmacro %}

{# How many of the delays have passed after so many seconds; if_unknown: all of them where nobody knows. #}
{% macro delays_within(seconds, if_unknown=false) -%}
    case
        {%- if if_unknown %} when {{ seconds }} is null then {{ var('loss_delays') | length }} {%- endif %}
        {%- for days in var('loss_delays') | sort(reverse=true) %}
            when {{ seconds }} > {{ days * 86400 }} then {{ loop.revindex }}
        {%- endfor %}
        else 0
    end
{%- endmacro %}

{# Of the losses at the odds that the weight makes of those in time, the part that would not have been without it. #}
{% macro share_avoidable(weight) -%}
    greatest(0, 1 - loss_in_time - (1 - loss_in_time) * exp(-({{ weight }})))
{%- endmacro %}

{# The steps of the journey map that are done when a person who decides is on the deal. #}
{% macro decider_steps() -%}
    select lines.step
    from {{ ref('journey_map') }} as lines
    inner join {{ ref('journey_evidence') }} as ways on lines.evidence = ways.evidence
    where ways.kind = 'contact' and ways.name = 'decision_maker'
{%- endmacro %}

{# A share as a person reads it. #}
{% macro percent(share) -%}
    cast(cast(round(100 * {{ share }}) as {{ dbt.type_bigint() }}) as {{ dbt.type_string() }}) || '%'
{%- endmacro %}

{# So many days as a person reads them. #}
{% macro time_in_words(days) -%}
    case
        when round({{ days }}) > 1 then {{ whole(days) }} || ' days'
        when {{ days }} >= 1 then '1 day'
        when 24 * {{ days }} >= 1.5 then {{ whole('24 * ' ~ days) }} || ' hours'
        else 'up to an hour'
    end
{%- endmacro %}

{# A moment's day in words. #}
{% macro day_in_words(moment) -%} cast(cast({{ moment }} as date) as {{ dbt.type_string() }}) {%- endmacro %}

{# A share of losses as a person reads it: how many of ten. #}
{% macro of_ten(share) -%} {{ whole('10 * ' ~ share) }} {%- endmacro %}

{# What is known of why a deal was lost: what was found in the facts, else what was stated and the facts do not deny. #}
{% macro loss_reason(of='') -%}
    case
        when {{ of }}found_cause <> 'unknown' then {{ of }}found_cause
        when coalesce({{ of }}is_reason_supported, true) then {{ of }}stated_reason_kind
        else 'unknown'
    end
{%- endmacro %}
