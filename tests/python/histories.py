"""Small companies in the generic layout whose deals have every odd history that CRMs hold.

Each deal first lives a life without gaps; then the CRM forgets, repeats and contradicts parts of it. All is drawn
through one function, `choose(options)`: `companies()` is for hypothesis; a fixed seed makes as many deals as one likes
with `company(random.Random(1).choice, 1000)`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

Choose = Callable[[Sequence[Any]], Any]
Row = dict[str, Any]

START = datetime(2026, 1, 5, 9)
AS_OF = datetime(2026, 6, 30, 23, 59, 59)
USERS = ["u1", "u2", "u3"]
UNDEFINED = ["Old name", "Older name"]

# pipeline -> stages in order, as (name, kind)
PIPELINES: dict[str, list[tuple[str, str]]] = {
    "sales": [("Lead", ""), ("Demo", ""), ("Offer", ""), ("Contract", ""), ("Won", "won"), ("Lost", "lost")],
    # shares names with sales; only a status tells how a deal ended
    "partners": [("Lead", ""), ("Offer", ""), ("Signing", "")],
    # stages after the win, and two ways to lose
    "delivery": [("Kick-off", ""), ("Live", "won"), ("Set-up", ""), ("Too dear", "lost"), ("No answer", "lost")],
    # lost comes first
    "inbound": [("Rejected", "lost"), ("New", ""), ("Called", ""), ("Closed", "won")],
    # only deals name it
    "renewals": [],
}
# For models that read stages as they were made complete: one pipeline, by position, and its rows.
POSITION = {"Lead": 1, "Offer": 2, "Legal": 3, "Won": 4, "Lost": 5}
STAGES_COMPLETED: list[Row] = [
    {
        "stage_id": stage,
        "crm": "x",
        "pipeline": "sales",
        "stage": stage,
        "position": place,
        "is_won": stage == "Won",
        "is_lost": stage == "Lost",
    }
    for stage, place in POSITION.items()
]
GAPS = [timedelta(days=1), timedelta(0), timedelta(minutes=5), timedelta(days=9), timedelta(seconds=1)]
MOVES = ["forward", "forward", "forward", "skip", "back", "lose", "win", "reopen", "undefined", "re-save"]


@dataclass(frozen=True)
class Place:
    pipeline: str
    stage: str

    @property
    def kind(self) -> str | None:
        """won, lost, empty for a stage at work, None for one that nobody defined."""
        return dict(PIPELINES[self.pipeline]).get(self.stage)

    @property
    def index(self) -> int:
        return [name for name, _ in PIPELINES[self.pipeline]].index(self.stage) if self.kind is not None else -1


@dataclass
class Company:
    """Extracts in the generic layout; `_extracted_at` says when a row was seen, and of deals there are all versions."""

    deals: list[Row] = field(default_factory=list)
    stage_changes: list[Row] = field(default_factory=list)
    stages: list[Row] = field(default_factory=list)

    @property
    def current_deals(self) -> list[Row]:
        """The version of each deal in force."""
        return [deal for deal in self.deals if not deal.get("_superseded_at")]

    def of(self, deal_id: str) -> "Company":
        """The same with one deal, to be read where something is wrong with it."""
        return replace(
            self,
            deals=[deal for deal in self.deals if deal["deal_id"] == deal_id],
            stage_changes=[change for change in self.stage_changes if change["deal_id"] == deal_id],
        )


@st.composite
def companies(draw: Any, min_deals: int = 30, max_deals: int = 120) -> Company:
    """Companies of a few deals. Hypothesis draws number and seed: drawing each choice takes ten times as long."""
    chance = draw(st.randoms(use_true_random=True))
    return company(chance.choice, draw(st.integers(min_deals, max_deals)))


def company(choose: Choose, deals: int) -> Company:
    """A company of so many deals; the first of `options` is always the plain one."""
    made = Company(stages=_dictionary())
    for number in range(deals):
        deal, changes = _deal(choose, str(number))
        made.deals += [*_earlier_versions(choose, deal), deal]
        made.stage_changes += changes
    made.stage_changes.append(
        {"deal_id": "nobody", "to_stage": "Lead", "changed_at": START, "_extracted_at": AS_OF}
    )  # of a deal that was never extracted
    return made


def shuffled(choose: Choose, rows: list[Row]) -> list[Row]:
    """The same rows in another order."""
    rest, order = list(rows), []
    while rest:
        order.append(rest.pop(choose(range(len(rest)))))
    return order


def _dictionary() -> list[Row]:
    return [
        {
            "pipeline": pipeline,
            "stage": stage,
            # two ways to lose share a place, as where a pipeline shows them in one column
            "position": [other for _, other in stages].index(kind) + 1 if kind == "lost" else number,
            "is_won": True if kind == "won" else None,
            "is_lost": kind == "lost",
            "_extracted_at": AS_OF,
        }
        for pipeline, stages in PIPELINES.items()
        for number, (stage, kind) in enumerate(stages, start=1)
    ]


def _deal(choose: Choose, deal_id: str) -> tuple[Row, list[Row]]:
    created_at = START + timedelta(days=choose(range(60)))
    place, moves = _life(choose, created_at)
    log = [{"deal_id": deal_id, **move, "_extracted_at": AS_OF} for move in moves]
    ended_at = log[-1]["changed_at"]
    deal = {
        "deal_id": deal_id,
        "pipeline": place.pipeline,
        "stage": place.stage,
        "status": place.kind or "open",
        "owner_id": choose(USERS),
        "created_at": created_at,
        "closed_at": ended_at if place.kind else None,
        "is_deleted": choose([None, False, None, False, None, False, None, True]),
        "_extracted_at": choose([AS_OF, AS_OF, AS_OF - timedelta(days=1)]),
    }
    _contradict(choose, deal, log)
    return deal, _forget(choose, deal, log)


def _life(choose: Choose, at: datetime) -> tuple[Place, list[Row]]:
    """From the creation on: where the deal is at the end, and every move as a CRM without faults would log it."""
    pipeline = choose(list(PIPELINES))
    names = [stage for stage, kind in PIPELINES[pipeline] if not kind] or UNDEFINED
    place = Place(pipeline, choose([names[0], names[0], names[-1]]))
    moves = [_move(choose, None, place, at)]
    moves_on = choose([False, False, True])
    for _ in range(choose(range(9))):
        target = _target(choose, place, choose([*MOVES, "hand over"] if moves_on else MOVES))
        at += choose(GAPS)
        moves.append(_move(choose, place, target, at))
        place = target
    detail = choose(["second", "second", "recorded", "day"])
    if detail == "recorded":
        moves = [{**move, "recorded_at": at + timedelta(minutes=number)} for number, move in enumerate(moves)]
    elif detail == "day":
        moves = [{**move, "changed_at": datetime.combine(move["changed_at"], time())} for move in moves]
    return place, moves


def _target(choose: Choose, place: Place, move: str) -> Place:
    """Where a move leads; one that makes no sense there goes on to the next stage, or is a re-save."""
    stages = PIPELINES[place.pipeline]
    open_stages = [name for name, kind in stages if not kind]
    index = place.index
    options = [name for name, _ in stages[index + 1 : index + 2]] if move != "re-save" else []
    if move == "skip":
        options = [name for name, kind in stages[index + 2 :] if not kind]
    elif move == "back" and index > 0:
        options = [name for name, kind in stages[:index] if not kind]
    elif move in ("lose", "win"):
        options = [name for name, kind in stages if kind == {"lose": "lost", "win": "won"}[move]]
    elif move == "reopen" and place.kind:
        options = open_stages
    elif move == "undefined":
        options = UNDEFINED
    elif move == "hand over":
        pipeline = choose([name for name in PIPELINES if name != place.pipeline])
        return Place(pipeline, ([name for name, kind in PIPELINES[pipeline] if not kind] or UNDEFINED)[0])
    return Place(place.pipeline, choose(options)) if options else place


def _move(choose: Choose, place: Place | None, target: Place, at: datetime) -> Row:
    return {
        "from_stage": place.stage if place else None,
        "to_stage": target.stage,
        "changed_at": at,
        "changed_by": choose(USERS),
        "recorded_at": None,
    }


def _contradict(choose: Choose, deal: Row, log: list[Row]) -> None:
    """What the CRM says of the deal itself: not always what its moves say."""
    last = log[-1]["changed_at"]
    created_at = deal["created_at"]
    oddity = choose(
        [None, None, None, "status alone", "status alone", "reopened", "gone on", "created late", "stage unlike log"]
    )
    if oddity == "status alone":
        deal["status"] = choose(["won", "lost"])
        deal["closed_at"] = last + choose(GAPS)
    elif oddity == "reopened":
        deal["status"] = "open"  # and the day of its end is still there
    elif oddity == "gone on" and deal["closed_at"]:
        deal["closed_at"] -= choose(GAPS[1:])  # changes after the closing
    elif oddity == "created late":
        deal["created_at"] = last + choose(GAPS)  # imported: it moved, or ended, before it was created
    elif oddity == "stage unlike log":
        deal["stage"] = choose(["Offer", *UNDEFINED])
    if deal["closed_at"] and oddity != "created late":
        deal["closed_at"] = choose([deal["closed_at"]] * 6 + [None, created_at - timedelta(days=3)])


def _forget(choose: Choose, deal: Row, log: list[Row]) -> list[Row]:
    """What is left of the log, and what it holds twice."""
    kept = choose(
        ["all"] * 5 + ["cut", "cut", "none", "none", "no from", "some from", "twice", "late", "end by status"]
    )
    if kept == "none":
        return []
    if kept == "cut":
        return log[choose(range(len(log))) :]
    if kept == "end by status" and deal["status"] != "open":
        return log[:-1]
    if kept == "no from":
        return [{**row, "from_stage": None} for row in log]
    if kept == "some from":
        return [{**row, "from_stage": choose([None, row["from_stage"]])} for row in log]
    if kept == "twice":
        return [copy for row in log for copy in (row, _again(choose, row))]
    if kept == "late":
        # written down later, and in another order than it happened
        return [{**row, "recorded_at": row["changed_at"] + timedelta(hours=choose([1, 300, 24]))} for row in log]
    return log


def _earlier_versions(choose: Choose, deal: Row) -> list[Row]:
    """What extracts of earlier nights saw of the deal, the oldest first."""
    versions: list[Row] = []
    later = deal
    for _ in range(choose([0, 0, 1, 2, 4])):
        version = {**later, "_extracted_at": later["_extracted_at"] - timedelta(days=choose([1, 7]))}
        version["_superseded_at"] = later["_extracted_at"]
        change = choose(["amount", "stage", "stage", "status", "pipeline", "closed_at", "is_deleted"])
        if change == "amount":
            version["amount"] = choose([100, 200, None])
        elif change == "pipeline":
            version["pipeline"] = choose(list(PIPELINES))
        elif change == "closed_at":
            version["closed_at"] = choose([None, version["_extracted_at"] - timedelta(hours=5)])
        elif change == "is_deleted":
            version["is_deleted"] = not later["is_deleted"]
        else:
            stages = [name for name, _ in PIPELINES[version["pipeline"]]]
            version["stage"] = choose([*stages, *UNDEFINED, "Lead"])
            if change == "status":
                version["status"] = choose(["open", "won", "lost"])
                version["closed_at"] = choose([None, version["_extracted_at"] - timedelta(hours=choose([1, 100]))])
        if version["closed_at"] and version["closed_at"] > version["_extracted_at"]:
            version["closed_at"] = None  # no extract knows the future
        versions.insert(0, version)
        later = version
    return versions


def _again(choose: Choose, row: Row) -> Row:
    """The same move, logged a second time by a connector or an automation."""
    if choose([True, False]):
        return {**row, "recorded_at": (row["recorded_at"] or row["changed_at"]) + timedelta(hours=5)}
    return {**row, "changed_by": choose([None, *USERS])}
