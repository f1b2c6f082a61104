"""Norms against a plain reading of the same cases: which ones count when, and their quantiles."""

import random
from collections import Counter
from datetime import date, datetime
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.python.models import Models, Warehouse

SEGMENTS = ("large", "small", "rare")
MONTHS = [date(year, month, 1) for year in (2024, 2025, 2026) for month in range(1, 13)][:30]
AS_OF = datetime(2026, 6, 30)
WINDOW, SHRINKAGE = 24, 20


@pytest.fixture(scope="module")
def warehouse(models: Models) -> Warehouse:
    return models.warehouse("int_norm_quantiles", given=["int_norm_cases_counted", "dim_dates", "stg_as_of"])


def company(seed: int) -> Counter:
    """Cases by segment, month and business days; one segment has few, some steps were never done (None)."""
    draw = random.Random(seed)
    cases: Counter = Counter()
    for _ in range(draw.choice([1, 30, 400])):
        segment = draw.choices(SEGMENTS, [10, 5, 1])[0]
        days = None if draw.random() < 0.1 else int(draw.lognormvariate(2, 0.8)) + 5 * (segment == "large")
        cases[segment, draw.choice(MONTHS), days] += 1
    return cases


def learn(warehouse: Warehouse, cases: Counter) -> dict[tuple[str, date], dict]:
    """The norms of a step, by segment and the month they hold from."""
    overall: Counter = Counter()
    for (_, month, days), count in cases.items():
        overall["(all)", month, days] += count
    warehouse.build(
        {
            "stg_as_of": [{"as_of": AS_OF}],
            "dim_dates": [{"date_day": month, "month_start_date": month} for month in MONTHS],
            "int_norm_cases_counted": [
                {
                    "segment": segment,
                    "subject": "step",
                    "subject_id": "send_proposal",
                    "outcome": "won",
                    "learnt_month": month,
                    "business_days": days,
                    "case_count": count,
                }
                for (segment, month, days), count in (cases + overall).items()
            ],
        }
    )
    return {(row["segment"], row["valid_from"]): row for row in warehouse.rows("select * from int_norm_quantiles")}


def before(cases: Counter, month: date, segment: str | None = None) -> list[int | None]:
    """What was known in a month: the cases of the two years before it, none of its own."""
    first = MONTHS[max(0, MONTHS.index(month) - WINDOW)]
    return [
        days
        for (of, learnt, days), count in cases.items()
        if segment in (None, of) and first <= learnt < month
        for _ in range(count)
    ]


def quantile(values: list[int | None], weights: list[float], q: float) -> int | None:
    """The smallest value that at least the share q of the weight does not exceed; what is never done exceeds all."""
    reached = 0.0
    done = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None]
    for value, weight in sorted(done):
        reached += weight
        if reached >= q * sum(weights) - 1e-9:
            return value
    return None


def rank_bounds(values: list[int | None], q: float) -> tuple[int | None, int | None]:
    """The order statistics between which the quantile lies, nine times in ten."""
    done = sorted(value for value in values if value is not None)
    n, spread = len(values), 1.645 * sqrt(q * (1 - q) * len(values))
    ranked = list(enumerate(done, start=1))
    low = next((value for rank, value in ranked if rank >= q * n - spread - 1e-9), None)
    high = next((value for rank, value in ranked if rank >= min(n, q * n + spread + 1) - 1e-9), None)
    return low, high


@given(st.integers(0, 10**6))
@settings(max_examples=5, deadline=None, derandomize=True, database=None)
def test_a_norm_is_the_quantile_of_the_cases_known_before_it(warehouse: Warehouse, seed: int):
    cases = company(seed)
    norms = learn(warehouse, cases)
    known = {(segment, month) for month in MONTHS for segment in SEGMENTS if before(cases, month, segment)}
    assert {key for key in norms if key[0] != "(all)"} == known
    for (segment, month), norm in norms.items():
        own = before(cases, month, None if segment == "(all)" else segment)
        assert norm["case_count"] == len(own)
        assert norm["timed_count"] == len([days for days in own if days is not None])
        for percent in (20, 50, 80):
            q = percent / 100
            assert norm[f"days_p{percent}"] == quantile(own, [1.0] * len(own), q)
            assert (norm[f"days_p{percent}_low"], norm[f"days_p{percent}_high"]) == rank_bounds(own, q)
        if segment != "(all)":
            everyone = before(cases, month)
            weights = [1.0] * len(own) + [SHRINKAGE / len(everyone)] * len(everyone)
            assert norm["shrunk_days_p80"] == quantile(own + everyone, weights, 0.8)


def test_what_is_learnt_later_changes_no_norm_that_was_in_force_before(warehouse: Warehouse):
    cases, later = company(5), MONTHS[20]
    until_then = Counter({key: count for key, count in cases.items() if key[1] < later})
    full, cut = learn(warehouse, cases), learn(warehouse, until_then)
    assert full != cut
    for key, norm in full.items():
        if key[1] <= later:
            assert cut[key] == norm


def test_a_case_that_was_ruled_out_counts_until_that_day_and_no_longer(warehouse: Warehouse):
    case = {"subject": "stage", "subject_id": "offer", "outcome": "won", "learnt_month": MONTHS[0], "case_count": 1}
    warehouse.build(
        {
            "stg_as_of": [{"as_of": AS_OF}],
            "dim_dates": [{"date_day": month, "month_start_date": month} for month in MONTHS[:6]],
            "int_norm_cases_counted": [
                {**case, "segment": segment, "business_days": 30, "excluded_from": date(2024, 4, 10)}
                for segment in ("large", "(all)")
            ],
        }
    )
    held = warehouse.rows("select distinct valid_from from int_norm_quantiles order by 1")
    assert [row["valid_from"] for row in held] == MONTHS[1:4]


def test_a_segment_of_few_cases_reads_like_all_of_them_and_one_of_many_like_itself(warehouse: Warehouse):
    month = MONTHS[0]
    cases = Counter({("large", month, 30): 500, ("small", month, 5): 500, ("rare", month, 1): 1})
    norms = learn(warehouse, cases)
    at = MONTHS[1]
    assert norms["large", at]["shrunk_days_p50"] == 30
    assert norms["small", at]["shrunk_days_p50"] == 5
    assert norms["rare", at]["shrunk_days_p80"] == norms["(all)", at]["shrunk_days_p80"] == 30
