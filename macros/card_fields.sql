{# The fields of a deal's card that seeds/card_fields.csv can require. Each is a bit, so that the state of a card is
   one number; the first two are read from the deal's contacts, the others are columns of the deal. #}
{% macro card_bits() -%}
    {%- set fields = [
        'contact', 'decision_maker', 'account_id', 'owner_id', 'amount', 'margin_rate', 'expected_close_date', 'channel',
        'product', 'competitor', 'loss_reason'
    ] -%}
    {%- set bits = {} -%}
    {%- for field in fields -%} {%- do bits.update({field: 2 ** loop.index0}) -%} {%- endfor -%}
    {{ return(bits) }}
{%- endmacro %}

{# Those of them that are columns of the deal. #}
{% macro card_columns() -%}
    {{ return(card_bits().keys() | reject('in', ['contact', 'decision_maker']) | list) }}
{%- endmacro %}

{# The names of the fields in a set of bits. #}
{% macro card_fields_named(field_bits) -%}
    concat_ws(', ', {% for field, bit in card_bits().items() -%}
        case when ({{ field_bits }} & {{ bit }}) > 0 then '{{ field }}' end{{ ', ' if not loop.last }}
    {%- endfor %})
{%- endmacro %}
