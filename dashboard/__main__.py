"""`python -m dashboard`, with flags of Streamlit's: the server, with what pages need loaded before the first reader."""

import sys

import altair  # noqa: F401
import duckdb  # noqa: F401
import pandas  # noqa: F401
from streamlit.web import cli

from dashboard.serve import APP

if __name__ == "__main__":
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main(prog_name="streamlit")
