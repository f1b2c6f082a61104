"""After the win: first use weeks later, invoices and payments months later, some refunds."""

from __future__ import annotations

import numpy as np

from orchestration.sample import clock
from orchestration.sample.clock import DAY, NEVER, Ints
from orchestration.sample.company import Company
from orchestration.sample.draws import Draws
from orchestration.sample.journey import Table
from orchestration.sample.population import Deals

KINDS = ("first_use", "invoice", "payment", "refund")
FIRST_USE, INVOICE, PAYMENT, REFUND = range(4)
_MONTHS = 8


def make_revenue(
    company: Company, deals: Deals, deal: Ints, won: Ints, amount: np.ndarray, draws: Draws
) -> tuple[Table, Ints]:
    """The revenue of the won deals: deal, kind as a code, occurred in seconds, amount (NaN for first use),
    and the moment each of the given deals was first used or NEVER.

    deal, won (seconds) and amount (the last one) are (won,). A deal is invoiced monthly, a twelfth of the
    amount each time, three to eight times; one that never starts is invoiced once, and often refunded.
    """
    slot = deals.slot[deal]
    cycle = np.array([s.cycle for s in company.segments])[deals.segment[deal]]
    days = company.first_use_days * cycle * draws.spread("use/days", slot, 0.55)
    used = won + (np.maximum(days, 5) * DAY).astype(np.int64)
    used = clock.in_working_hours(used, draws.uniform("use/hour", slot))
    never = draws.happens("use/never", slot, company.never_used)
    used = np.where(never, NEVER, used)
    start = np.where(never, won + 60 * DAY, used) // DAY * DAY + 10 * 3600 + 20 * DAY
    count = np.where(never, 1, 3 + (draws.uniform("invoices", slot) * (_MONTHS - 2)).astype(np.int64))
    rng = draws.stream("payments")
    delay, unpaid, refunded, when = rng.random((4, draws.slots, _MONTHS))[:, slot]
    month = np.broadcast_to(np.arange(_MONTHS), delay.shape)
    due = month < count[:, None]
    invoiced = start[:, None] + month * 30 * DAY + month % 2 * DAY
    paid = invoiced + ((8 + 40 * delay**1.5) * DAY).astype(np.int64)
    pays = due & (unpaid >= np.where(never, 0.4, 0.03)[:, None])
    returns = pays & (refunded < np.where(never, 0.7, company.refund / 4)[:, None])
    refund = paid + ((10 + 60 * when) * DAY).astype(np.int64)
    share = np.broadcast_to(np.round(amount / 12, 2)[:, None], due.shape)
    owner = np.broadcast_to(deal[:, None], due.shape)
    rows = np.flatnonzero(~never)
    events = [
        (deal[rows], FIRST_USE, used[rows], np.full(len(rows), np.nan)),
        (owner[due], INVOICE, invoiced[due], share[due]),
        (owner[pays], PAYMENT, paid[pays], share[pays]),
        (owner[returns], REFUND, refund[returns], share[returns]),
    ]
    table: Table = {
        "deal": np.concatenate([event[0] for event in events]),
        "kind": np.concatenate([np.full(len(event[0]), event[1]) for event in events]),
        "occurred": np.concatenate([event[2] for event in events]),
        "amount": np.concatenate([event[3] for event in events]),
    }
    order = np.lexsort((table["kind"], table["occurred"], table["deal"]))
    return {name: values[order] for name, values in table.items()}, used
