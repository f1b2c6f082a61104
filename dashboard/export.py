"""Tables as CSV that a spreadsheet opens without running anything."""

import pandas as pd

# What a spreadsheet takes for a formula when a cell begins with it (OWASP, CSV injection), wide forms too.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(value: object) -> object:
    """A text that looks like a formula, behind an apostrophe; anything else as it is. A number is no text."""
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with its mark, so that Excel reads Cyrillic."""
    safe = frame.rename(columns=harmless)
    for position, kind in enumerate(frame.dtypes):
        if pd.api.types.is_object_dtype(kind):
            safe.isetitem(position, frame.iloc[:, position].map(harmless))
    return safe.to_csv(index=False).encode("utf-8-sig")
