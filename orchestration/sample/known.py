"""What was known at a moment: the tables of an extract taken then, with nothing of the future."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from orchestration.sample.clock import seconds
from orchestration.sample.world import LAYOUT, World

Times = npt.NDArray[np.datetime64]


def known_at(world: World, as_of: datetime, since: datetime | None = None) -> dict[str, pd.DataFrame]:
    """The tables of an extract taken at `as_of` (UTC when it names no zone), by entity.

    With `since`, only the rows created or changed after it and up to `as_of`, as they stand at `as_of`.
    Columns and their order are those of `LAYOUT`; times are `datetime64[s]`, a date is its midnight.
    """
    now = np.datetime64(seconds(as_of), "s")
    before = None if since is None else np.datetime64(seconds(since), "s")
    return {entity: _rows(world, entity, now, before) for entity in LAYOUT}


def _rows(world: World, entity: str, now: np.datetime64, before: np.datetime64 | None) -> pd.DataFrame:
    table = world.tables[entity]
    if entity == "deals":
        table, touched = _deals(world, now)
    elif entity == "tasks":
        table, touched = _tasks(table, now)
    else:
        touched = table["known_at"].to_numpy()
    wanted = touched <= now
    if before is not None:
        wanted &= touched > before
    return table.loc[wanted, list(LAYOUT[entity])].reset_index(drop=True)


def _known(times: pd.Series, now: np.datetime64) -> Times:
    """The times up to now; later ones as NaT."""
    values = times.to_numpy()
    return np.where(values <= now, values, np.datetime64("NaT", "s"))


def _tasks(table: pd.DataFrame, now: np.datetime64) -> tuple[pd.DataFrame, Times]:
    """All tasks as they stand now, and when each was last changed."""
    completed, moved = _known(table["completed_at"], now), _known(table["moved_at"], now)
    due = np.where(np.isnat(moved), table["original_due_at"].to_numpy(), table["due_at"].to_numpy())
    stands = table.assign(due_at=due, completed_at=completed, is_completed=~np.isnat(completed))
    return stands, np.fmax(np.fmax(table["created_at"].to_numpy(), completed), moved)


def _deals(world: World, now: np.datetime64) -> tuple[pd.DataFrame, Times]:
    """All deals as they stand now, and when each was last changed; deals to come keep their creation."""
    table = world.tables["deals"]
    stands = {name: table[name].to_numpy(copy=True) for name in world.edits}
    updated = table["created_at"].to_numpy(copy=True)
    for field, edits in world.edits.items():
        made = edits[edits["at"].to_numpy() <= now]
        # Edits are in order of time, so the last one of a deal stands.
        stands[field][made["deal"].to_numpy()] = made["value"].to_numpy()
        np.maximum.at(updated, made["deal"].to_numpy(), made["at"].to_numpy())
    stage, closed = _stages(world, now, updated)
    seen, deleted = _known(table["competitor_seen_at"], now), _known(table["deleted_at"], now)
    table = table.assign(
        **stands,
        stage=stage,
        status=np.select([stage == "Won", stage == "Lost"], ["won", "lost"], "open").astype(object),
        closed_at=closed,
        competitor=np.where(np.isnat(seen), None, table["competitor"].to_numpy()),
        is_deleted=~np.isnat(deleted),
        updated_at=np.fmax(np.fmax(updated, seen), deleted),
    )
    return table, table["updated_at"].to_numpy()


def _stages(world: World, now: np.datetime64, updated: Times) -> tuple[npt.NDArray[np.object_], Times]:
    """Each deal's stage and when it was closed (NaT when open); `updated` is brought up to date."""
    changes = world.tables["stage_changes"]
    made = changes[changes["recorded_at"].to_numpy() <= now]
    deal, to_stage, at = (made[name].to_numpy() for name in ("deal", "to_stage", "changed_at"))
    np.maximum.at(updated, deal, made["recorded_at"].to_numpy())
    stage = np.full(len(updated), None, dtype=object)
    stage[deal] = to_stage
    last = np.full(len(updated), np.datetime64("NaT", "s"))
    last[deal] = at
    closed = (stage == "Won") | (stage == "Lost")
    return stage, np.where(closed, last, np.datetime64("NaT", "s"))
