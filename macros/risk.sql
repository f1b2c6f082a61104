{# What risk is learnt of: outcome and model, as columns call them. `then` is the model of tested_on, which is learnt to be
   tried on what came after it. Whether a deal of that day is ever won is not known of all yet, so that is not tried. #}
{% macro risk_fits() -%}
    {{ return({
        'win_90d_now': 'win_90d',
        'lost_30d_now': 'lost_30d',
        'win_ever_now': 'win_ever',
        'win_90d_then': 'win_90d',
        'lost_30d_then': 'lost_30d',
    }) }}
{%- endmacro %}

{% macro log_odds(p) -%} ln(({{ p }}) / (1 - ({{ p }}))) {%- endmacro %}

{% macro chance_of(log_odds) -%} (1 / (1 + exp(-({{ log_odds }})))) {%- endmacro %}

{# Whether a value lies in a bin of int_risk_bins; the first has no lower end, the last no upper one. #}
{% macro is_in_bin(value, bins='bins') -%}
    ({{ bins }}.from_value is null or {{ value }} >= {{ bins }}.from_value)
    and ({{ bins }}.until_value is null or {{ value }} < {{ bins }}.until_value)
{%- endmacro %}

{# A value of an indicator in words, as it follows the indicator's label: `yes`, `40%`, `3.5 days`, `2 days before the
   deadline`, and of what the label counts, `3`. Without its unit `3.5`. #}
{% macro in_words(value, unit, with_unit=true) -%}
    case
        when {{ unit }} like '1 yes%' then case when {{ value }} = 1 then 'yes' else 'no' end
        when {{ unit }} like 'share%' then {{ whole('100 * ' ~ value) }} || '%'
        {%- if with_unit %}
            when {{ unit }} like 'days past %'
                then
                    {{ _in_figures('abs(' ~ value ~ ')') }} || case when abs({{ value }}) = 1 then ' day' else ' days' end
                    || case when {{ value }} < 0 then ' before ' else ' past ' end
                    || substring({{ dbt.split_part(unit, "','", 1) }}, 11)
            when {{ unit }} = 'days' then {{ _in_figures(value) }} || case when {{ value }} = 1 then ' day' else ' days' end
        {%- endif %}
        else {{ _in_figures(value) }}
    end
{%- endmacro %}

{% macro _in_figures(value) -%}
    case
        when abs({{ value }}) >= 10 or {{ value }} = round({{ value }}) then {{ whole(value) }}
        else cast(cast({{ value }} as decimal(18, 1)) as {{ dbt.type_string() }})
    end
{%- endmacro %}

{# By how much a part moves the odds, in words. #}
{% macro odds_moved(part) -%}
    case
        when exp({{ part }}) - 1 >= 0.005 then 'adds ' || {{ whole('100 * (exp(' ~ part ~ ') - 1)') }} || '% to'
        when 1 - exp({{ part }}) >= 0.005 then 'takes ' || {{ whole('100 * (1 - exp(' ~ part ~ '))') }} || '% off'
        else 'hardly moves'
    end
{%- endmacro %}

{# A quantile of a sum of deals, as of a log-normal of its mean and variance: a sum is above zero, and large deals make it
   lean. z is 0 for the median, -1.2816 and 1.2816 for the bounds of an 80% interval. #}
{% macro quantile_of_sum(mean, variance, z) -%}
    {%- set sigma2 = 'ln(1 + (' ~ variance ~ ') / nullif(power(' ~ mean ~ ', 2), 0))' -%}
    coalesce({{ mean }} * exp(-{{ sigma2 }} / 2 + {{ z }} * sqrt({{ sigma2 }})), {{ mean }})
{%- endmacro %}

{# A sum of parts of which none is unknown; null if one is: what is known of the others is not the whole. #}
{% macro sum_if_known(part) -%} case when count({{ part }}) = count(*) then sum({{ part }}) end {%- endmacro %}
