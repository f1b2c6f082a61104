{#
    Written by inflight from the files models/marts/indicators/ind_*.sql; do not edit. dbt has to know before it
    reads a model which others it reads, and its graph is not there yet.
#}
{% macro indicator_refs() -%}
    {%- do [
        ref('ind_amount_cut'),
        ref('ind_card_completeness'),
        ref('ind_close_date_days_pushed'),
        ref('ind_close_date_pushes'),
        ref('ind_contacts_on_deal'),
        ref('ind_decision_maker_involved'),
        ref('ind_discount_asked'),
        ref('ind_documents_late'),
        ref('ind_feedback_received'),
        ref('ind_first_response_days'),
        ref('ind_legal_days'),
        ref('ind_meetings_held'),
        ref('ind_moves_back'),
        ref('ind_next_step_planned'),
        ref('ind_odd_day_edits'),
        ref('ind_owner_changes'),
        ref('ind_owner_load'),
        ref('ind_proposal_days_past_due'),
        ref('ind_repeat_contact_done'),
        ref('ind_replies_14_days'),
        ref('ind_silence_days'),
        ref('ind_stage_days_past_norm'),
        ref('ind_tasks_on_time'),
        ref('ind_tasks_overdue'),
        ref('ind_touches_14_days')
    ] -%}
{%- endmacro %}
