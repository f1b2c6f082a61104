"""Cohorts against the same statistics written by others, and against counting by hand.

One warehouse holds many stages, each a random company of its own or an extreme case.
"""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from statsmodels.duration.survfunc import CumIncidenceRight

from tests.python.models import Models, Warehouse

START, TODAY = date(2025, 6, 1), date(2026, 3, 1)  # the extract saw all of the day before TODAY, and some of it
AS_OF = datetime(2026, 3, 1, 6)
WAYS = ("advanced", "lost", "moved_back", "handed_off")
OUTCOMES = (*WAYS, "still_there")
GIVEN = ("stg_as_of", "fct_stage_visits", "dim_deals", "fct_deals", "int_capabilities_found", "int_business_days")

ENTERED = datetime(2026, 1, 10, 9)
STAY = {"entered_at": ENTERED, "segment": "small", "channel": "web", "is_left_truncated": False, "days": None}
EXTREMES = {
    "one deal": [STAY],
    "all open": [STAY] * 9,
    "all lost": [{**STAY, "days": 3, "exit_type": "lost"}] * 9,
    "all on one day": [{**STAY, "days": 0, "exit_type": way} for way in WAYS],
    "only cut histories": [{**STAY, "is_left_truncated": True}] * 3,
    "entered on the last day": [{**STAY, "entered_at": AS_OF - timedelta(hours=1)}],
}


def random_stays(seed: int) -> list[dict]:
    """1 to 80 stays with many ties; about one in ten is open, one in five has a beginning that is not known."""
    rng = np.random.default_rng(seed)
    return [
        {
            "entered_at": datetime(2025, 6, 1) + timedelta(hours=int(rng.integers(0, 272 * 24))),
            "days": None if rng.random() < 0.1 else int(rng.integers(0, rng.choice([5, 60]))),
            "exit_type": str(rng.choice(WAYS)),
            "segment": str(rng.choice(["small", "large"])),
            "channel": [None, "web", "fair"][rng.integers(0, 3)],
            "is_left_truncated": bool(rng.random() < 0.2),
        }
        for _ in range(rng.integers(1, 81))
    ]


def as_extracted(stage: str, number: int, stay: dict) -> dict:
    """A row of fct_stage_visits as the extract shows it: what comes later is not known yet."""
    entered, days = stay["entered_at"], stay["days"]
    exited = None if days is None else entered + timedelta(days=days, minutes=7)
    exited = None if exited and exited > AS_OF else exited
    return {
        **{name: stay[name] for name in ("entered_at", "segment", "channel", "is_left_truncated")},
        "stage_visit_id": f"{stage}-{number}",
        "deal_id": f"{stage}-{number}",
        "stage_id": stage,
        "team": "North",
        "exit_type": stay["exit_type"] if exited else "still_there",
        "exited_at": exited,
        "days_in_stage": (exited.date() - entered.date()).days if exited and not stay["is_left_truncated"] else None,
    }


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    stages = {**{f"random {seed}": random_stays(seed) for seed in range(40)}, **EXTREMES}
    found = [as_extracted(stage, number, stay) for stage, stays in stages.items() for number, stay in enumerate(stays)]
    return [row for row in found if row["entered_at"] <= AS_OF]


@pytest.fixture(scope="module")
def warehouse(models: Models, rows: list[dict]) -> Warehouse:
    marts = ["cohort_stage_curves", "cohort_stage_conversion_rollups", "cohort_stage_conversion", "cohort_same_age"]
    built = models.warehouse(*marts, "cohort_stage_durations", given=[*GIVEN, "norms"])
    built.build({"stg_as_of": [{"as_of": AS_OF, "newest_load_id": 1}], "fct_stage_visits": rows})
    return built


def grouped(rows: list[dict], *names: str) -> dict[tuple, list[dict]]:
    found = defaultdict(list)
    for row in rows:
        month = {"cohort_month": row["entered_at"].date().replace(day=1)} if "entered_at" in row else {}
        found[tuple({**row, **month}[name] for name in names)].append(row)
    return dict(found)


COHORT = ("stage_id", "segment", "cohort_month")


def seen(row: dict) -> tuple[int, int]:
    """Age at the end of what was seen, and the way out (0: none), of whole days only."""
    last = TODAY - timedelta(days=1)
    if row["exited_at"] and row["exited_at"].date() <= last:
        return (row["exited_at"].date() - row["entered_at"].date()).days, 1 + WAYS.index(row["exit_type"])
    return (last - row["entered_at"].date()).days, 0


def test_curves_are_those_of_statsmodels_and_lifelines_with_ties(warehouse: Warehouse, rows: list[dict]):
    told = warehouse.rows("select * from cohort_stage_curves where clock = 'calendar' order by age_days")
    curves = grouped(told, *COHORT)
    followed = {
        cohort: [seen(row) for row in members if not row["is_left_truncated"] and seen(row)[0] >= 0]
        for cohort, members in grouped(rows, *COHORT).items()
    }
    assert curves.keys() == {cohort for cohort, members in followed.items() if members}
    for cohort, curve in curves.items():
        ages, ways = (np.array(column) for column in zip(*followed[cohort], strict=True))
        at = [row["age_days"] for row in curve]
        kaplan_meier = KaplanMeierFitter().fit(ages, ways > 0).survival_function_at_times(at)
        assert [row["survival"] for row in curve] == pytest.approx(list(kaplan_meier), abs=1e-9)
        if not ways.any():
            continue
        # statsmodels wants ages above 0, and knows the ways up to the last there is
        oracle = CumIncidenceRight(ages + 1, ways)
        for way, name in enumerate(WAYS[: ways.max()]):
            steps = list(zip(oracle.times - 1, oracle.cinc[way], strict=True))
            expected = [max([0.0, *(value for reached, value in steps if reached <= age)]) for age in at]
            assert [row[f"cumulative_{name}"] for row in curve] == pytest.approx(expected, abs=1e-9)


def test_what_is_expected_stays_within_what_is_possible(warehouse: Warehouse, rows: list[dict]):
    told = warehouse.rows("select * from cohort_stage_conversion")
    cohorts = grouped(rows, *COHORT)
    assert {tuple(row[name] for name in COHORT) for row in told} == cohorts.keys()
    for row in told:
        members = cohorts[tuple(row[name] for name in COHORT)]
        counted = Counter(member["exit_type"] for member in members)
        assert {way: row[way] for way in (*WAYS, "still_there")} == {
            way: counted[way] for way in (*WAYS, "still_there")
        }
        assert row["history_cut"] == sum(member["is_left_truncated"] for member in members)
        most = (row["advanced"] + row["still_there"]) / row["entered"]
        ever = row["conversion_ever_entered"]
        bounds = [ever, row["conversion_low"], row["conversion_expected"], row["conversion_high"], most]
        assert all(low <= high + 1e-9 for low, high in pairwise(bounds)), bounds


def test_every_roll_up_holds_every_stay_and_all_segments_are_their_sum(warehouse: Warehouse):
    parts = grouped(warehouse.rows("select * from cohort_stage_conversion"), "stage_id", "cohort_month")
    sums = warehouse.rows(
        "select stage_id, cohort_month, rolled_up_by, sum(entered)::int as entered, sum(advanced)::int as advanced, "
        "sum(conversion_expected * entered) as expected from cohort_stage_conversion_rollups group by all"
    )
    assert {row["rolled_up_by"] for row in sums} == {"all", "channel", "team", "product"}
    for row in sums:
        cohorts = parts[row["stage_id"], row["cohort_month"]]
        assert [row["entered"], row["advanced"]] == [sum(c[name] for c in cohorts) for name in ("entered", "advanced")]
        if row["rolled_up_by"] == "all":
            expected = sum(cohort["conversion_expected"] * cohort["entered"] for cohort in cohorts)
            assert row["expected"] == pytest.approx(expected, abs=1e-9)


def test_cohorts_at_one_age_are_what_counting_finds_and_their_parts_add_up(warehouse: Warehouse, rows: list[dict]):
    stages = grouped([row for row in rows if not row["is_left_truncated"]], "stage_id")
    told = warehouse.rows("select * from cohort_same_age")
    assert told
    for row in told:
        age, month = row["age_days"], row["cohort_month"]
        reached = [r for r in stages[(row["stage_id"],)] if (TODAY - r["entered_at"].date()).days - 1 >= age]
        of_month = [r for r in reached if r["entered_at"].date().replace(day=1) == month]
        before = [r for r in reached if r["entered_at"].date() < month]  # the history is shorter than a year
        for side, members in (("", of_month), ("_before", before)):
            gone = [r for r in members if r["exit_type"] == row["exit_type"] and r["days_in_stage"] <= age]
            assert [row[f"entered{side}"], row[f"exits{side}"]] == [len(members), len(gone)]
        if before:
            effects = [row["segment_mix_effect"], row["channel_mix_effect"], row["rate_effect"]]
            assert sum(effects) == pytest.approx(row["difference"], abs=1e-9)
            assert row["difference_low"] <= row["difference"] + 1e-9 <= row["difference_high"] + 2e-9


@pytest.mark.parametrize("stage", EXTREMES)
def test_an_extreme_cohort_gives_values_or_null_with_a_reason(warehouse: Warehouse, stage: str):
    cohorts = warehouse.rows(f"select * from cohort_stage_conversion where stage_id = '{stage}'")
    assert sum(row["entered"] for row in cohorts) == len(EXTREMES[stage])
    for row in warehouse.rows(
        f"select * from cohort_stage_durations where stage_id = '{stage}' and clock = 'calendar'"
    ):
        assert (row["p80_days"] is None) == (row["p80_unknown_because"] is not None)


def test_a_company_without_a_deal_has_empty_cohorts(models: Models):
    warehouse = models.warehouse("cohort_stage_conversion", given=GIVEN)  # its own: tests run in any order
    warehouse.build({"stg_as_of": [{"as_of": AS_OF, "newest_load_id": 1}]})
    assert warehouse.rows("select * from cohort_stage_conversion") == []
