"""The rules of stage visits in plain Python: slow, and written from the rules, not from the models' SQL.

A deal is walked through its log row by row. The rules, each where it is applied:

1. A deleted deal has no visits. A move of a deal that nobody extracted is of nobody.
2. A stage is looked for by name in the deal's own pipeline, then in the others; else it stays, undefined.
3. A deal moves in the order of time, then of recording. Of one moment, moves follow each other: each begins where
   the one before ended. Where that does not tell, they go on in the pipeline's order, and then back against it. A
   circle begins where the deal was, if it leads through there, and leaves it where it was.
4. A move to the stage where the deal is already is a re-save.
5. The first move says where the deal was before: since its creation, which is exact for a first stage alone.
6. A deal without a log is where each extract saw it, since the first that did. What was before is not known. Where
   its status was won or lost, it was in a stage that says so: the one seen, or else the first of the pipeline.
7. A deal that is won or lost ends in such a stage of its pipeline, when it was closed, or else when an extract first
   saw it so, but not before its last move; unless its log says so already. A stage after the win is still won.
8. A visit ends with the next. How it ended is a question of both stages.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, takewhile
from typing import Any, NamedTuple

Row = Mapping[str, Any]


class Visit(NamedTuple):
    visit_number: int
    stage_id: str
    entered_at: datetime
    exited_at: datetime | None
    exit_type: str
    is_entered_at_exact: bool


@dataclass(frozen=True)
class Stage:
    stage_id: str
    pipeline: str | None = None
    position: int | None = None
    is_won: bool = False
    is_lost: bool = False


@dataclass(frozen=True)
class Step:
    """The deal is in `stage` from `at` on."""

    stage: Stage
    at: datetime
    is_exact: bool


def visits(deals: Iterable[Row], stage_changes: Iterable[Row], stages: Iterable[Row]) -> dict[str, list[Visit]]:
    """Visits by deal, of row versions in the generic layout; ids carry the CRM, as in the marts."""
    versions = defaultdict(list)
    for version in sorted(deals, key=lambda version: version["_extracted_at"]):
        versions[version["deal_id"]].append(version)
    log = defaultdict(list)
    for change in stage_changes:
        log[change["deal_id"]].append(change)
    dictionary = Dictionary(stages, {version["pipeline"] for seen in versions.values() for version in seen})
    return {
        f"generic:{deal_id}": _as_visits(list(_walk(seen, log[deal_id], dictionary)))
        for deal_id, seen in versions.items()
        if not seen[-1].get("is_deleted")  # rule 1
    }


class Dictionary:
    """Which stage a name means (rule 2), and in which stages a pipeline ends."""

    def __init__(self, stages: Iterable[Row], pipelines: set[str]) -> None:
        self.stages: dict[tuple[str, str], Stage] = {}
        for row in stages:
            pipeline, name = row["pipeline"], row["stage"]
            won, lost = bool(row.get("is_won")), bool(row.get("is_lost"))
            self._add(pipeline, name, row["position"], won, lost)
        for pipeline in pipelines | {pipeline for pipeline, _ in self.stages}:
            own = [stage for stage in self.stages.values() if stage.pipeline == pipeline]
            last = max((stage.position for stage in own), default=0)
            if not any(stage.is_won for stage in own):
                self._add(pipeline, "(won)", last + 1, True, False)
            if not any(stage.is_lost for stage in own):
                self._add(pipeline, "(lost)", last + 2, False, True)

    def _add(self, pipeline: str, name: str, position: int, is_won: bool, is_lost: bool) -> None:
        self.stages[pipeline, name] = Stage(f"generic:{pipeline}:{name}", pipeline, position, is_won, is_lost)

    def own(self, pipeline: str, name: str) -> Stage:
        return self.stages.get((pipeline, name)) or Stage(f"generic:{pipeline}:{name}")

    def find(self, pipeline: str, name: str) -> Stage:
        elsewhere = sorted(
            (stage for (_, other), stage in self.stages.items() if other == name), key=lambda stage: stage.stage_id
        )
        if (pipeline, name) in self.stages or not elsewhere:
            return self.own(pipeline, name)
        return elsewhere[0]

    def ending(self, pipeline: str, status: str) -> Stage:
        """The first of the pipeline's stages that a deal of this status ends in."""
        of_status = [
            stage
            for stage in self.stages.values()
            if stage.pipeline == pipeline and (stage.is_won if status == "won" else stage.is_lost)
        ]
        return min(of_status, key=lambda stage: (stage.position, stage.stage_id))


@dataclass(frozen=True)
class Move:
    source: Stage | None
    target: Stage
    at: datetime


def _walk(versions: list[Row], log: list[Row], dictionary: Dictionary) -> Iterator[Step]:
    deal = versions[-1]
    seen = [version for version in versions if not version.get("is_deleted")]
    if not log:
        yield from _watch(seen, dictionary)
        return
    moves = _in_order(deal, log, dictionary)
    taken: list[Step] = []

    def step(stage: Stage, at: datetime, is_exact: bool) -> Step:
        taken.append(Step(stage, at, is_exact))
        return taken[-1]

    if moves[0].source:  # rule 5
        created_at = deal["created_at"]
        is_known = moves[0].source.position == 1 and created_at <= moves[0].at
        yield step(moves[0].source, min(created_at, moves[0].at), is_known)
    for move in moves:
        if not taken or move.target != taken[-1].stage:  # rule 4
            yield step(move.target, move.at, True)
    if deal["status"] != "open" and not _has_ended(deal["status"], [step.stage for step in taken]):  # rule 7
        closed_at, last = deal.get("closed_at"), taken[-1].at
        at = closed_at or _began(seen, "status")["_extracted_at"]
        ending = dictionary.ending(deal["pipeline"], deal["status"])
        yield step(ending, max(at, last), closed_at is not None and closed_at >= last)


def _began(versions: list[Row], column: str) -> Row:
    """The version with which the run of equal values began that the last one is in."""
    return list(takewhile(lambda version: version[column] == versions[-1][column], reversed(versions)))[-1]


def _watch(versions: list[Row], dictionary: Dictionary) -> Iterator[Step]:
    """Rule 6."""

    def where(version: Row) -> Stage:
        stage = dictionary.find(version["pipeline"], version["stage"])
        says_so = {"open": True, "won": stage.is_won, "lost": stage.is_lost}[version["status"]]
        return stage if says_so else dictionary.ending(version["pipeline"], version["status"])

    before: Row | None = None
    for _, nights in groupby(versions, key=where):
        run = list(nights)
        first, last_seen = run[0], before and before["_extracted_at"]
        # of a deal that changed its status without changing its stage, the last status counts as the next one's before
        of_status = list(takewhile(lambda version, first=first: version["status"] == first["status"], run))
        closed_at = None
        if first["status"] != "open" and (before is None or before["status"] != first["status"]):
            closed_at = of_status[-1].get("closed_at")
        first_seen = first["_extracted_at"]
        is_known = closed_at is not None and (last_seen or closed_at) <= closed_at <= first_seen
        if closed_at is None or closed_at > first_seen:
            closed_at = first_seen
        yield Step(where(first), max(closed_at, last_seen or closed_at), is_known)
        before = _began(run, "status")


def _in_order(deal: Row, log: list[Row], dictionary: Dictionary) -> list[Move]:
    """Rule 3."""

    def moment(row: Row) -> tuple[datetime, datetime]:
        return row["changed_at"], row.get("recorded_at") or row["changed_at"]

    ordered: list[Move] = []
    here: Stage | None = None
    for _, rows in groupby(sorted(log, key=moment), key=moment):
        moves = {
            Move(
                dictionary.find(deal["pipeline"], row["from_stage"]) if row.get("from_stage") else None,
                dictionary.find(deal["pipeline"], row["to_stage"]),
                row["changed_at"],
            )
            for row in rows
        }
        by_pipeline = sorted(moves, key=_place_in_pipeline)
        anywhere = (chain for move in by_pipeline for chain in _chains(move.source, by_pipeline))
        chain = next(_chains(here, by_pipeline), None) or next(anywhere, None)
        ordered += chain or by_pipeline
        if not chain or chain[0].source != chain[-1].target:
            here = ordered[-1].target
    return ordered


def _chains(here: Stage | None, moves: list[Move]) -> Iterator[list[Move]]:
    """The orders in which each move begins where the one before ended, those that keep to the given one first."""
    if not moves:
        yield []
    for move in moves:
        if move.source == here:
            rest = [other for other in moves if other != move]
            yield from ([move, *chain] for chain in _chains(move.target, rest))


def _place_in_pipeline(move: Move) -> tuple:
    """Forward moves by where they begin, then moves back, those from the end of the pipeline first."""
    source, target = _place(move.source), _place(move.target)
    if target[0] < source[0]:
        return 1, -source[0], [-ord(letter) for letter in source[1]], target
    return 0, source, target


def _place(stage: Stage | None) -> tuple[int, str]:
    return (stage.position or 0, stage.stage_id) if stage else (0, "")


def _has_ended(status: str, been: list[Stage]) -> bool:
    if not been:
        return False
    last = been[-1]
    if status == "lost":
        return last.is_lost
    wins = [stage for stage in been if stage.is_won]
    if last.is_won or not wins or last.is_lost:
        return last.is_won
    win = wins[-1]
    # handed over since, or in a stage without a place: nothing says that it was taken back to before the win
    return last.pipeline != win.pipeline or last.position > win.position


def _as_visits(steps: list[Step]) -> list[Visit]:
    """Rule 8."""
    return [
        Visit(
            number,
            step.stage.stage_id,
            step.at,
            after.at if after else None,
            _exit_type(step.stage, after.stage if after else None),
            step.is_exact,
        )
        for number, (step, after) in enumerate(zip(steps, [*steps[1:], None], strict=True), start=1)
    ]


def _exit_type(stage: Stage, after: Stage | None) -> str:
    if after is None:
        return "still_there"
    if after.is_lost:
        return "lost"
    if after.is_won:
        return "advanced"
    if stage.pipeline and after.pipeline and stage.pipeline != after.pipeline:
        return "handed_off"
    if stage.is_lost:
        return "moved_back"
    if stage.pipeline is None or after.pipeline is None:
        return "handed_off"
    return "advanced" if after.position >= stage.position else "moved_back"
