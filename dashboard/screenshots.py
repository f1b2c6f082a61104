"""Pictures of the dashboard for docs/dashboard.md: `make screenshots`, after a night on the example company."""

import sys
import tempfile
from pathlib import Path

from dashboard.browser import SIZE, browsed, chromium, served, settle
from orchestration.settings import PROJECT_DIR, Settings

IMAGES = PROJECT_DIR / "docs" / "images"
PAGES = {
    "today": "",
    "funnel": "funnel",
    "deals": "deals",
    "losses": "losses",
    "team": "team?period=3m&step=prepare_proposal",
    "indicators": "indicators",
    "segments": "segments",
    "data": "data",
    "today-ru": "?lang=ru",
}


def take(data: Path, to: Path) -> list[Path]:
    """Pictures of every page, and of the way from an alert to a deal; returns what was written."""
    to.mkdir(parents=True, exist_ok=True)
    taken = []

    def picture(page, name: str, height: int = SIZE["height"]) -> None:
        page.set_viewport_size({"width": SIZE["width"], "height": height})
        settle(page)
        taken.append(to / f"dashboard-{name}.png")
        page.screenshot(path=taken[-1])

    with tempfile.TemporaryDirectory() as scratch, served(data, Path(scratch) / "log") as url, browsed() as context:
        page = context.new_page()
        for name, path in PAGES.items():
            page.goto(f"{url}/{path}")
            settle(page)
            picture(page, name, 1250 if name in ("funnel", "indicators") else SIZE["height"])
        page.goto(url)
        settle(page)
        behind = page.locator("[class*=st-key-_behind_]").first
        if behind.count():
            behind.scroll_into_view_if_needed()
            picture(page, "behind")
            # the box at the head of the first row of the list
            box = page.locator("[class*=st-key-tab_alert_0] canvas").first.bounding_box()
            page.mouse.click(box["x"] + 20, box["y"] + 52)
            page.wait_for_url("**/deals?*deal=*")
            picture(page, "deal", 1150)
    return taken


if __name__ == "__main__":
    if chromium() is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium")
    for path in take(Settings.from_env().data, Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES):
        print(path)
