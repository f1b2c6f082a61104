"""The complete truth about a company: everything that happens, each with its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from orchestration.sample.company import Company

LAYOUT: Mapping[str, Mapping[str, str]] = {
    "deals": {
        "deal_id": "VARCHAR",
        "deal_name": "VARCHAR",
        "account_id": "VARCHAR",
        "owner_id": "VARCHAR",
        "pipeline": "VARCHAR",
        "stage": "VARCHAR",
        "status": "VARCHAR",
        "amount": "DOUBLE",
        "currency": "VARCHAR",
        "margin_rate": "DOUBLE",
        "channel": "VARCHAR",
        "product": "VARCHAR",
        "created_at": "TIMESTAMP",
        "expected_close_date": "DATE",
        "closed_at": "TIMESTAMP",
        "loss_reason": "VARCHAR",
        "competitor": "VARCHAR",
        "is_deleted": "BOOLEAN",
        "updated_at": "TIMESTAMP",
    },
    "stage_changes": {
        "deal_id": "VARCHAR",
        "to_stage": "VARCHAR",
        "changed_at": "TIMESTAMP",
        "from_stage": "VARCHAR",
        "changed_by": "VARCHAR",
        "recorded_at": "TIMESTAMP",
    },
    "field_changes": {
        "deal_id": "VARCHAR",
        "field": "VARCHAR",
        "old_value": "VARCHAR",
        "new_value": "VARCHAR",
        "changed_at": "TIMESTAMP",
        "changed_by": "VARCHAR",
    },
    "activities": {
        "activity_id": "VARCHAR",
        "deal_id": "VARCHAR",
        "owner_id": "VARCHAR",
        "contact_id": "VARCHAR",
        "type": "VARCHAR",
        "direction": "VARCHAR",
        "occurred_at": "TIMESTAMP",
        "logged_at": "TIMESTAMP",
        "outcome": "VARCHAR",
    },
    "tasks": {
        "task_id": "VARCHAR",
        "deal_id": "VARCHAR",
        "owner_id": "VARCHAR",
        "task_type": "VARCHAR",
        "created_at": "TIMESTAMP",
        "due_at": "TIMESTAMP",
        "original_due_at": "TIMESTAMP",
        "completed_at": "TIMESTAMP",
        "is_completed": "BOOLEAN",
    },
    "accounts": {
        "account_id": "VARCHAR",
        "account_name": "VARCHAR",
        "industry": "VARCHAR",
        "employee_count": "BIGINT",
        "annual_revenue": "DOUBLE",
        "region": "VARCHAR",
        "segment": "VARCHAR",
    },
    "contacts": {"contact_id": "VARCHAR", "account_id": "VARCHAR", "job_title": "VARCHAR"},
    "deal_contacts": {
        "deal_id": "VARCHAR",
        "contact_id": "VARCHAR",
        "role": "VARCHAR",
        "is_decision_maker": "BOOLEAN",
        "added_at": "TIMESTAMP",
    },
    "users": {
        "user_id": "VARCHAR",
        "user_name": "VARCHAR",
        "team": "VARCHAR",
        "manager_id": "VARCHAR",
        "is_active": "BOOLEAN",
    },
    "stages": {
        "pipeline": "VARCHAR",
        "stage": "VARCHAR",
        "position": "BIGINT",
        "phase": "VARCHAR",
        "is_won": "BOOLEAN",
        "is_lost": "BOOLEAN",
        "probability": "DOUBLE",
    },
    "revenue_events": {
        "deal_id": "VARCHAR",
        "kind": "VARCHAR",
        "occurred_at": "TIMESTAMP",
        "amount": "DOUBLE",
        "currency": "VARCHAR",
    },
}
"""Columns of each entity of an extract, with their SQL types, in order."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "deals": ("deal_id",),
    "stage_changes": ("deal_id", "changed_at", "from_stage", "to_stage"),
    "field_changes": ("deal_id", "field", "changed_at"),
    "activities": ("activity_id",),
    "tasks": ("task_id",),
    "accounts": ("account_id",),
    "contacts": ("contact_id",),
    "deal_contacts": ("deal_id", "contact_id"),
    "users": ("user_id",),
    "stages": ("pipeline", "stage"),
    "revenue_events": ("deal_id", "kind", "occurred_at"),
}
"""The columns that tell the rows of each entity apart."""


@dataclass(frozen=True)
class World:
    """Everything that happens to a company's deals, to their very end, even after `company.until`.

    tables: by entity, the rows of an extract in the order of their key, each with `known_at` and what it
    takes to say how the row stood at an earlier moment. Times are UTC `datetime64[s]`.
    edits: by field of a deal (amount, expected_close_date, owner_id, loss_reason), one row an edit in
    order of deal and time: deal (row of the deals), at, value.
    visits: one row per visit of a stage: deal_id, visit (from 0), stage, entered_at, decided_at (the true
    way out), left_at (when the record changed), way (forward, skip, back, lost), next_stage, silent,
    clicked (no real visit: passed through within the same second), pass_chance, two_way,
    proposal_late_days (working days), no_repeat_contact, no_decision_maker, legal_stalled, price_pressed
    and cause.
    truth: one row per deal: deal_id, segment, channel, team, owner_id; quality, engagement and
    price_pressure in deviations; decision_maker_at; whether each planted cause was present in any
    visit (late_proposal, no_repeat_contact, no_decision_maker, legal_stalled, price_pressed);
    outcome (won, lost), ended_at in the record, decided_at in truth, silent, lost_stage, cause of the
    final loss, reopened, moved_back, amount (the last one) and first_use_at.
    """

    company: Company
    tables: Mapping[str, pd.DataFrame]
    edits: Mapping[str, pd.DataFrame]
    visits: pd.DataFrame
    truth: pd.DataFrame
