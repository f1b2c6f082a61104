"""Where everything lies. One folder, `INFLIGHT_DATA`, holds all that the job reads and writes."""

import os
import sys
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

ACCEPT = "INFLIGHT_ACCEPT"  # set for a night whose gates compare with no earlier night
AS_OF = "INFLIGHT_AS_OF"  # set for a night that knows no more than was known at this moment, UTC
PROJECT_DIR = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Settings:
    """Paths below one data folder. The folder need not exist yet."""

    data: Path

    @classmethod
    def from_env(cls) -> "Settings":
        return cls(Path(os.environ.get("INFLIGHT_DATA", PROJECT_DIR / "data")).resolve())

    def export(self) -> None:
        """Let dbt, Dagster and Great Expectations in this process and its children see the same folder."""
        self.dagster_home.mkdir(parents=True, exist_ok=True)
        config = self.dagster_home / "dagster.yaml"
        if not config.exists():
            config.write_text((PROJECT_DIR / "orchestration" / "dagster.yaml").read_text())
        os.environ["INFLIGHT_DATA"] = str(self.data)
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        os.environ["DAGSTER_HOME"] = str(self.dagster_home)
        os.environ["DAGSTER_EVENT_BATCH_SIZE"] = "1000"  # those that a run plans are written at once
        os.environ["DBT_TARGET_PATH"] = str(self.dbt_target)
        os.environ["DBT_LOG_PATH"] = str(self.dbt_target / "logs")
        os.environ["DBT_PROFILES_DIR"] = str(PROJECT_DIR)
        os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
        os.environ["GX_ANALYTICS_ENABLED"] = "False"

    @property
    def compares(self) -> bool:
        """Whether the gates compare tonight with earlier nights."""
        return not os.environ.get(ACCEPT)

    @property
    def as_of(self) -> datetime | None:
        """The moment that a night looks back to, UTC; None: it knows all there is."""
        moment = os.environ.get(AS_OF)
        return datetime.fromisoformat(moment) if moment else None

    def at(self, moment: datetime) -> "Settings":
        """The folder of a night as of an earlier moment."""
        whole_day = moment.time() == time.max
        return Settings(self.data / "as_of" / moment.strftime("%Y-%m-%d" if whole_day else "%Y-%m-%dT%H%M%S"))

    @property
    def landing_memory(self) -> str:
        """How much memory DuckDB may use while files land, as it writes it: 1GB. A larger file needs no more."""
        return os.environ.get("INFLIGHT_LANDING_MEMORY", "1GB")

    @property
    def extracts(self) -> Path:
        return self.data / "extracts"

    @property
    def warehouse(self) -> Path:
        """The private working file: raw, staging, canonical, intermediate. One writer."""
        return self.data / "warehouse" / "inflight.duckdb"

    @property
    def marts(self) -> Path:
        """The private file that holds the marts only, so that publishing is a file copy."""
        return self.data / "warehouse" / "marts.duckdb"

    @property
    def published(self) -> Path:
        return self.data / "published"

    @property
    def published_database(self) -> Path:
        """What BI opens, read-only."""
        return self.published / "inflight.duckdb"

    @property
    def quality(self) -> Path:
        return self.data / "quality"

    @property
    def dbt_target(self) -> Path:
        return self.data / "dbt"

    @property
    def dagster_home(self) -> Path:
        return self.data / "dagster"
