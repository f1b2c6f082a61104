"""Where a planted problem strikes."""

from __future__ import annotations

import numpy as np

from orchestration.sample.clock import Bools, Floats, Ints, seconds
from orchestration.sample.company import Company, Fault


def touched(company: Company, fault: Fault, when: Ints, **codes: Ints) -> Bools:
    """The rows a fault touches: begun since its start and of every name it gives.

    `codes` may hold stage, segment, channel and team, each (rows,), as positions in the company's tuples.
    """
    names = {
        "stage": company.stages,
        "segment": company.segments,
        "channel": company.channels,
        "team": company.teams,
    }
    hit = when >= seconds(fault.started_on)
    for kind, values in codes.items():
        wanted = getattr(fault, kind)
        if wanted is not None:
            hit &= np.array([value.name == wanted for value in names[kind]])[values]
    return hit


def sized(company: Company, kind: str, neutral: float, when: Ints, **codes: Ints) -> list[Floats]:
    """For each fault of a kind, its size at the rows it touches and `neutral` elsewhere."""
    return [
        np.where(touched(company, fault, when, **codes), fault.size, neutral)
        for fault in company.planted
        if fault.kind == kind
    ]
