"""What a share is shown with, everywhere the same: its interval, and whether a difference is more than chance."""

from statistics import NormalDist

import pandas as pd

Z = 1.645  # of a 90% interval


def with_shares(counts: pd.DataFrame) -> pd.DataFrame:
    """`counts` with the share n / total as value, and Wilson's 90% interval of it as low and high."""
    n, total = counts["n"].astype(float), counts["total"].astype(float)
    middle = (n + Z**2 / 2) / (total + Z**2)
    half = Z * (n * (total - n) / total + Z**2 / 4) ** 0.5 / (total + Z**2)
    return counts.assign(value=n / total, low=middle - half, high=middle + half)


def surely(value: pd.Series, margin: pd.Series) -> pd.Series:
    """Which values are above zero when as many are looked at together as there are here.

    The margins are of one value at 5% a side; they are widened to 5% for all of them (Bonferroni).
    """
    wider = NormalDist().inv_cdf(1 - 0.05 / max(len(value), 1)) / Z
    return value - wider * margin > 0
