"""What costs deals, what acting in time is worth and what sellers add, against statsmodels and plain Python."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from math import ceil, exp, log, sqrt

import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from tests.python.models import Models, Warehouse

AS_OF = datetime(2026, 6, 30, 12)
SEGMENTS = ("small", "large", "rare")
PRIOR_OF_STAGE, PRIOR_OF_SEGMENT = 4, 16


@pytest.fixture(scope="module")
def weights(models: Models) -> Warehouse:
    return models.warehouse("int_loss_weights", given=["int_loss_counts"])


@pytest.fixture(scope="module")
def effects(models: Models) -> Warehouse:
    return models.warehouse("int_attention_effects", given=["int_loss_counts"])


@pytest.fixture(scope="module")
def scorecard(models: Models) -> Warehouse:
    return models.warehouse("manager_scorecard", given=["stg_as_of", "int_scorecard_counts", "dim_users"])


@pytest.fixture(scope="module")
def contrast(models: Models) -> Warehouse:
    given = ["stg_as_of", "int_indicator_counts", "int_indicator_norms", "dim_indicators", "int_indicator_landmarks"]
    given += ["int_indicator_weights", "int_indicator_steps_known", "dim_deals"]
    return models.warehouse("win_loss_contrast", given=given)


@pytest.fixture(scope="module")
def norms(models: Models) -> Warehouse:
    given = ["stg_as_of", "dim_deals", "fct_deals", "int_indicator_contacts", "dim_dates"]
    return models.warehouse("int_loss_silence_norms", given=given)


@pytest.fixture(scope="module")
def autopsy(models: Models) -> Warehouse:
    given = [
        "stg_as_of",
        "int_loss_deals",
        "int_loss_causes",
        "loss_timeline",
        "fct_journey_steps",
        "crm_field_changes",
    ]
    return models.warehouse("loss_autopsy", given=[*given, "fct_deal_changes", "int_capabilities_found"])


@pytest.fixture(scope="module")
def given_deals(models: Models) -> Warehouse:
    given = ["stg_as_of", "dim_deals", "fct_deals", "int_deal_owners_versioned", "fct_deal_changes", "fct_stage_visits"]
    return models.warehouse("int_deals_given", given=given)


def counted(counts: dict[str, tuple[int, int, int, int]]) -> list[dict]:
    """Stays by segment, counted: late and lost, late and not, in time and lost, in time and not."""
    return [
        {
            "stage_id": "offer",
            "segment": segment,
            "cause": "late_proposal",
            "thing": "send",
            "exit_type": "advanced" if is_won else "lost",
            "is_won": is_won,
            "is_named_late": late == 1,
            "is_settled": True,
            "delays_late": late,
            "delays_lasted": 1,
            "delays_heard": 1,
            "stays": n,
        }
        for segment, cells in counts.items()
        for n, late, is_won in zip(cells, (1, 1, 0, 0), (False, True) * 2, strict=True)
    ]


def drawn(seed: int) -> dict[str, tuple[int, int, int, int]]:
    draw = random.Random(seed)
    return {segment: tuple(draw.randint(1, 60) for _ in range(4)) for segment in SEGMENTS}  # type: ignore[misc]


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_the_mantel_haenszel_log_odds_drawn_toward_none(weights: Warehouse, seed: int) -> None:
    counts = drawn(seed)
    weights.build({"int_loss_counts": counted(counts)})
    told = {row["segment"]: row for row in weights.rows("select * from int_loss_weights")}

    pooled = StratifiedTable([[[a, b], [c, d]] for a, b, c, d in counts.values()])
    precision = 1 / pooled.logodds_pooled_se**2
    of_stage = pooled.logodds_pooled * precision / (precision + PRIOR_OF_STAGE)
    assert told["(all)"]["weight"] == pytest.approx(of_stage, abs=1e-9)
    assert told["(all)"]["weight_error"] == pytest.approx(sqrt(1 / (precision + PRIOR_OF_STAGE)), abs=1e-9)

    for segment, cells in counts.items():
        a, b, c, d = (n + 0.5 for n in cells)
        own = 1 / (1 / a + 1 / b + 1 / c + 1 / d)
        weight = (log(a * d / (b * c)) * own + PRIOR_OF_SEGMENT * of_stage) / (own + PRIOR_OF_SEGMENT)
        assert told[segment]["weight"] == pytest.approx(weight, abs=1e-9)

    for row in told.values():
        for name, sigmas in (("share", 0), ("share_low", -1.645), ("share_high", 1.645)):
            odds = row["loss_in_time"] / (1 - row["loss_in_time"]) * exp(row["weight"] + sigmas * row["weight_error"])
            assert row[name] == pytest.approx(max(0, 1 - row["loss_in_time"] / (odds / (1 + odds))), abs=1e-9)


def test_what_is_as_usual_in_deals_that_went_on_costs_nothing(weights: Warehouse) -> None:
    counts = {"small": (30, 70, 30, 70), "large": (8, 32, 80, 320)}
    weights.build({"int_loss_counts": counted(counts)})
    for row in weights.rows("select * from int_loss_weights"):
        assert row["share"] < 0.03 and row["share_low"] == 0


def test_what_was_late_because_of_a_named_step_is_not_blamed(weights: Warehouse) -> None:
    """A step without a name is weighed where the proposal was in time; a stay that was moved back ended neither way."""
    rows = [row | {"cause": "step_missed", "thing": "call", "is_named_late": False} for row in counted(drawn(1))]
    weights.build({"int_loss_counts": rows})
    before = weights.rows("select * from int_loss_weights order by all")
    rows += [row | {"is_named_late": True} for row in rows if row["exit_type"] == "lost"]
    rows += [row | {"exit_type": "moved_back"} for row in rows]
    weights.build({"int_loss_counts": rows})
    assert weights.rows("select * from int_loss_weights order by all") == before


@pytest.mark.parametrize("passed", range(5))
def test_acting_is_worth_the_difference_of_those_as_late_and_alive(effects: Warehouse, passed: int) -> None:
    """The step done before the next delay against not, of those in whom it was not done until the last."""
    counts = drawn(passed)
    rows = [
        row | {"delays_late": passed + row["delays_late"], "delays_lasted": passed + 1, "delays_heard": passed + 1}
        for row in counted(counts)
    ]
    # what says nothing of acting from here on
    rows += [row | {"is_settled": False} for row in rows]  # of these only the quick ones have ended
    rows += [row | {"delays_heard": passed} for row in rows]  # dead by then, perhaps
    rows += [row | {"delays_lasted": passed, "delays_late": passed} for row in rows]  # gone by then
    if passed:
        rows += [row | {"delays_late": 0} for row in rows]  # never so late
    effects.build({"int_loss_counts": rows})
    found = effects.rows(f"select * from int_attention_effects where delays_passed = {passed}")
    told = {row["segment"]: row for row in found}

    def variance(lost: int, kept: int) -> float:
        p = (kept + 0.5) / (lost + kept + 1)
        return p * (1 - p) / (lost + kept)

    total, weighted, spread = 0.0, 0.0, 0.0
    for late_lost, late_won, lost, won in counts.values():
        n1, n0 = lost + won, late_lost + late_won
        weight = n1 * n0 / (n1 + n0)
        total += weight
        weighted += weight * (won / n1 - late_won / n0)
        spread += weight**2 * (variance(lost, won) + variance(late_lost, late_won))
    precision = total**2 / spread
    assert told["(all)"]["acted_within_days"] == (0, 3, 7, 14, 28)[passed]
    assert told["(all)"]["effect"] == pytest.approx(weighted / total * precision / (precision + 1 / 0.1**2), abs=1e-9)
    for segment, (late_lost, late_won, lost, won) in counts.items():
        assert (told[segment]["acted_n"], told[segment]["not_acted_n"]) == (lost + won, late_lost + late_won)
        assert told[segment]["acted_rate"] == pytest.approx(won / (lost + won))
        own = 1 / (variance(lost, won) + variance(late_lost, late_won))
        difference = won / (lost + won) - late_won / (late_lost + late_won)
        shrunk = (difference * own + told["(all)"]["effect"] / 0.05**2) / (own + 1 / 0.05**2)
        assert told[segment]["effect"] == pytest.approx(shrunk, abs=1e-9)


def owners(seed: int, spread: float) -> list[dict]:
    """Owners with as many deals as luck gave them, whose log-odds to win differ by `spread`."""
    draw = random.Random(seed)
    rows = []
    for k in range(20):
        closed, p = draw.randint(4, 200), 0.3
        odds = p / (1 - p) * exp(draw.gauss(0, spread))
        wins = sum(draw.random() < odds / (1 + odds) for _ in range(closed))
        rows.append(
            {"owner_id": f"u{k}", "period_days": 90, "segment": "(all)", "contacts": 0, "closed": closed, "wins": wins}
            | {"expected_wins": closed * p, "information": closed * p * (1 - p)}
        )
    return rows


@pytest.mark.parametrize(("seed", "spread"), [(1, 0.0), (3, 1.0)])
def test_owners_are_drawn_toward_all_as_far_as_luck_explains(scorecard: Warehouse, seed: int, spread: float) -> None:
    rows = owners(seed, spread)
    scorecard.build({"stg_as_of": [{"as_of": AS_OF}], "int_scorecard_counts": rows})
    told = {row["owner_id"]: row for row in scorecard.rows("select * from manager_scorecard")}

    v = [row["information"] for row in rows]
    centre = sum(row["wins"] - row["expected_wins"] for row in rows) / sum(v)
    effect = [(row["wins"] - row["expected_wins"]) / row["information"] - centre for row in rows]
    q = sum(n * e * e for n, e in zip(v, effect, strict=True))
    k, precision = len(rows), sum(v)
    tau2 = max(0.0, (q - (k - 1)) / (precision - sum(n * n for n in v) / precision))
    rate = sum(row["wins"] for row in rows) / sum(row["closed"] for row in rows)
    for row, n, e in zip(rows, v, effect, strict=True):
        # Morris (1983), with the mean of 1 / v weighed by v
        pull = (k - 3) / (k - 1) * (1 / n) / (1 / n + tau2)
        doubt = 2 / (k - 3) * pull**2 * (k / precision + tau2) / (1 / n + tau2) * e**2
        shrunk, error = (1 - pull) * e, sqrt((1 - (k - 1) / k * pull) / n + doubt)
        logit = log(rate / (1 - rate)) + shrunk
        assert told[row["owner_id"]]["win_rate_adjusted"] == pytest.approx(1 / (1 + exp(-logit)), abs=1e-9)
        assert told[row["owner_id"]]["win_rate_adjusted_low"] == pytest.approx(1 / (1 + exp(-logit + 1.645 * error)))

    for one in told.values():
        apart = all(
            one["win_rate_adjusted_low"] > other["win_rate_adjusted_high"]
            or one["win_rate_adjusted_high"] < other["win_rate_adjusted_low"]
            for other in told.values()
            if other is not one
        )
        assert (one["place"] is not None) == apart


@pytest.mark.parametrize(("owners_n", "deals"), [(2, 30), (5, 30), (8, 40), (20, 40)])
@pytest.mark.parametrize("spread", [0.0, 0.2, 0.4])
def test_the_interval_holds_the_truth_however_few_owners_there_are(
    scorecard: Warehouse, owners_n: int, deals: int, spread: float
) -> None:
    """A 90% interval, of companies drawn anew. One that takes the spread of few owners as known holds 65 to 75%."""
    draw = random.Random(7)
    rows, truth = [], {}
    for company in range(2400 // owners_n):
        wins = []
        for owner in range(owners_n):
            odds = 0.3 / 0.7 * exp(draw.gauss(0, spread))
            truth[f"u{owner}", f"s{company}"] = odds / (1 + odds)
            wins.append(sum(draw.random() < odds / (1 + odds) for _ in range(deals)))
        p = sum(wins) / (owners_n * deals)
        rows += [
            {"owner_id": f"u{owner}", "period_days": 90, "segment": f"s{company}", "contacts": 0, "closed": deals}
            | {"wins": won, "expected_wins": deals * p, "information": deals * p * (1 - p)}
            for owner, won in enumerate(wins)
        ]
    scorecard.build({"stg_as_of": [{"as_of": AS_OF}], "int_scorecard_counts": rows})
    held = [
        row["win_rate_adjusted_low"] <= truth[row["owner_id"], row["segment"]] <= row["win_rate_adjusted_high"]
        for row in scorecard.rows("select * from manager_scorecard")
    ]
    assert sum(held) / len(held) >= 0.85


@pytest.mark.parametrize("seed", range(2))
def test_won_and_lost_deals_are_contrasted_within_their_stage(contrast: Warehouse, seed: int) -> None:
    draw = random.Random(seed)
    rows, sums = [], defaultdict(lambda: defaultdict(float))
    for stage in ("demo", "offer"):
        for value in (1.0, 5.0, 9.0):
            won, lost = draw.randint(1, 40), draw.randint(1, 40)
            weight = draw.uniform(1, 2)
            rows.append(
                {"indicator": "silence", "landmark": "age_30", "segment": "small", "stage_id": stage, "value": value}
                | {"won": won, "lost": lost, "won_weight": won * weight, "lost_weight": lost * weight}
                | {"won_weight_squared": won * weight**2, "lost_weight_squared": lost * weight**2}
            )
            for outcome, n in (("won", won), ("lost", lost)):
                sums[stage][outcome] += n * weight
                sums[stage][outcome + "_good"] += n * weight * (value <= 5)
                sums[stage][outcome + "_squared"] += n * weight**2
    all_had = [row | {"indicator": "owner_changes", "value": 0.0} for row in rows]
    contrast.build(
        {
            "stg_as_of": [{"as_of": AS_OF}],
            "int_indicator_counts": rows + all_had,
            "dim_indicators": [
                {"indicator": name, "direction": "lower", "declared_norm": 5.0} for name in ("silence", "owner_changes")
            ],
        }
    )
    rows_told = contrast.rows("select * from win_loss_contrast")
    assert {row["thing"] for row in rows_told} == {"silence"}  # what all had tells nothing
    told = {row["segment"]: row for row in rows_told}

    total = weighted = 0.0
    for stage in sums.values():
        n1, n0 = (stage[outcome] ** 2 / stage[outcome + "_squared"] for outcome in ("won", "lost"))
        weight = n1 * n0 / (n1 + n0)
        total += weight
        weighted += weight * (stage["won_good"] / stage["won"] - stage["lost_good"] / stage["lost"])
    for segment in ("small", "(all)"):
        assert told[segment]["difference"] == pytest.approx(weighted / total, abs=1e-9)
        assert told[segment]["difference_low"] < told[segment]["difference"] < told[segment]["difference_high"]
        assert told[segment]["won_n"] == sum(row["won"] for row in rows)
        may_be_chance = told[segment]["difference_low"] <= 0 <= told[segment]["difference_high"]
        assert told[segment]["contrast_rank"] == (None if may_be_chance else 1)


def test_a_silence_is_held_against_the_deals_won_before_the_quarter_in_which_it_was(norms: Warehouse) -> None:
    draw = random.Random(5)
    deals, facts, contacts, silences = [], [], [], []
    for number in range(300):
        created = datetime(2025, 1, 1) + timedelta(days=draw.randint(0, 300), hours=9)
        heard = sorted(created + timedelta(days=draw.uniform(0, 90)) for _ in range(draw.randint(0, 6)))
        won = created + timedelta(days=90)
        deals.append({"_deal_number": number, "segment": draw.choice(["large", "small"]), "created_at": created})
        deals[-1]["is_excluded_from_norms"] = number % 50 == 0
        facts.append({"_deal_number": number, "won_at": won})
        contacts += [{"deal_number": number, "is_two_way": True, "occurred_at": at} for at in heard]
        contacts.append({"deal_number": number, "is_two_way": False, "occurred_at": created + timedelta(days=45)})
        if number % 50:
            spans = [
                ceil((b - a).total_seconds() / 86400) for a, b in zip([created, *heard], [*heard, won], strict=True)
            ]
            silences.append((deals[-1]["segment"], won.date(), spans))

    quarters = [date(year, month, 1) for year in (2025, 2026) for month in (1, 4, 7, 10)][:6]
    norms.build(
        {
            "stg_as_of": [{"as_of": AS_OF}],
            "dim_deals": deals,
            "fct_deals": facts,
            "int_indicator_contacts": contacts,
            "dim_dates": [{"quarter_start_date": quarter} for quarter in quarters],
        }
    )
    told = {(row["segment"], row["valid_from"]): row for row in norms.rows("select * from int_loss_silence_norms")}

    def quantile(values: list[int], q: float) -> int:
        return sorted(values)[ceil(q * len(values) - 1e-9) - 1]

    for quarter in quarters:
        for segment in ("large", "small", "(all)"):
            known = [spans for of, won, spans in silences if won < quarter and segment in (of, "(all)")]
            row = told.get((segment, quarter))
            assert (row is not None) == (len(known) >= 50)
            if row:
                assert row["won_deals"] == len(known)
                assert row["norm_days"] == quantile([days for spans in known for days in spans], 0.95)
                assert row["longest_days"] == quantile([max(spans) for spans in known], 0.9)


def lost(number: int, **columns: object) -> dict:
    moment = {"lost_at": AS_OF, "until_at": AS_OF, "is_silent_death": False, "is_decider_told": False}
    names = {
        "deal_number": number,
        "deal_id": str(number),
        "crm": "x",
        "segment": "small",
        "channel": "mail",
        "team": "t",
    }
    return names | moment | columns


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ("No decision", "no_decision"),
        ("No decision maker", "no_decision_maker"),
        ("Keine Entscheidung", "no_decision"),
        ("Kein Entscheider", "no_decision_maker"),
        ("Нет решения", "no_decision"),
    ],
)
def test_a_client_who_did_nothing_is_not_one_who_had_nobody_to_decide(
    autopsy: Warehouse, stated: str, kind: str
) -> None:
    autopsy.build({"stg_as_of": [{"as_of": AS_OF}], "int_loss_deals": [lost(1, loss_reason=stated)]})
    assert [row["stated_reason_kind"] for row in autopsy.rows("select * from loss_autopsy")] == [kind]


@pytest.mark.parametrize(("named", "denied"), [(1, None), (17, None), (19, False)])
def test_an_empty_field_denies_only_where_it_is_usually_filled(
    autopsy: Warehouse, named: int, denied: bool | None
) -> None:
    """Of twenty losses to a competitor so many say to whom; the others may have been lost to one all the same."""
    losses = [lost(n, loss_reason="Competitor", competitor="Acme" if n < named else None) for n in range(20)]
    autopsy.build({"stg_as_of": [{"as_of": AS_OF}], "int_loss_deals": losses})
    told = {row["is_reason_supported"] for row in autopsy.rows("select * from loss_autopsy where competitor is null")}
    assert told == {denied}


def test_what_was_given_is_told_by_the_deals_and_not_by_who_had_them(given_deals: Warehouse) -> None:
    """Two owners with deals of the same kind, one of whom wins all; deals of another segment are won more often."""
    draw = random.Random(3)
    deals, facts, visits, owners = [], [], [], []
    for number in range(400):
        segment, owner = ("large", "small")[number % 2], ("u1", "u2")[number // 2 % 2]
        is_won = draw.random() < ({"large": 0.3, "small": 0.6}[segment] + (0.3 if owner == "u1" else -0.3))
        created, ended = AS_OF - timedelta(days=200), AS_OF - timedelta(days=draw.randint(1, 100))
        deals.append({"_deal_number": number, "deal_id": str(number), "segment": segment, "channel": "mail"})
        deals[-1] |= {"owner_id": "now", "created_at": created, "is_excluded_from_norms": False}
        facts.append({"_deal_number": number, "won_at" if is_won else "lost_at": ended})
        visits.append({"_deal_number": number, "stage_id": "demo", "visit_number": 1, "entered_at": created})
        # who closed it counts, not who has it now
        owners.append(
            {"deal_number": number, "owner_id": owner, "valid_from": created, "valid_to": ended + timedelta(1)}
        )
    given_deals.build(
        {
            "stg_as_of": [{"as_of": AS_OF}],
            "dim_deals": deals,
            "fct_deals": facts,
            "fct_stage_visits": visits,
            "int_deal_owners_versioned": owners,
        }
    )
    told = given_deals.rows("select * from int_deals_given")
    assert len(told) == 400
    expected, won = defaultdict(list), defaultdict(list)
    for row in told:
        expected[row["segment"], row["owner_id"]].append(row["expected_win"])
        won[row["segment"]].append(row["is_won"])
    for segment, wins in won.items():
        # the same chance for both, and in sum what was won
        assert set(expected[segment, "u1"]) == set(expected[segment, "u2"])
        assert expected[segment, "u1"][0] == pytest.approx(sum(wins) / len(wins), abs=0.05)
    assert expected["small", "u1"][0] > expected["large", "u1"][0] + 0.1
