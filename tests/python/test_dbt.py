"""dbt's own unit tests, on a warehouse that a night has built."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIR
from tests.python.conftest import Extracts, inflight


@pytest.mark.slow
def test_every_unit_test_of_the_models_holds(extracts: Extracts):
    extracts.deals({})
    data = extracts.settings.data
    inflight(data, "nightly")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "test", "--select", "test_type:unit"],
        cwd=PROJECT_DIR,
        env={**os.environ, "INFLIGHT_DATA": str(data), "DBT_TARGET_PATH": str(data / "dbt"), "DBT_LOG_PATH": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert " ERROR=0 " in done.stdout
