"""Write the digest as one file that needs nothing else, and as words for those who cannot take a page."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from orchestration.digest import pictures
from orchestration.digest.read import Digest, read
from orchestration.settings import Settings

CURRENCIES_SHOWN = 2


def write(settings: Settings) -> tuple[Path, Digest]:
    """Write the digest of what BI sees to data/digest/: a file a day, and latest.html."""
    digest = read(settings.published_database.resolve(), _publication_before(settings))
    folder = settings.data / "digest"
    folder.mkdir(parents=True, exist_ok=True)
    html = page(digest)
    path = folder / f"{digest.as_of:%Y-%m-%d}.html"
    for target in (path, folder / "latest.html"):
        fresh = target.with_suffix(".new")
        fresh.write_text(html, encoding="utf-8")
        fresh.replace(target)
    return path, digest


def page(digest: Digest) -> str:
    """The digest as one HTML file, without a script and without a link."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    shapes = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    shapes.filters |= {"day": _day, "short": pictures.short}
    weeks = [pictures.observed_and_expected(each.weeks, each.counted, each.started_on) for each in digest.alerts]
    months = list(digest.months.items())[:CURRENCIES_SHOWN]
    return shapes.from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8")).render(
        digest=digest,
        headline=headline(digest),
        alert_pictures=[Markup(each) for each in weeks],
        month_pictures=[(currency, Markup(pictures.bars(each, currency))) for currency, each in months],
        outlooks=[(seen, Markup(pictures.outlook(seen))) for seen in digest.outlooks[:CURRENCIES_SHOWN]],
    )


def headline(digest: Digest) -> str:
    """The one thing to know."""
    fresh = [alert for alert in digest.alerts if alert.is_new]
    if fresh:
        more = f", and {len(digest.alerts) - 1} more open" if len(digest.alerts) > 1 else ""
        return f"New problem: {fresh[0].explanations[0].split('.')[0]}{more}"
    if digest.alerts:
        count = len(digest.alerts)
        first = digest.alerts[0].explanations[0].split(".")[0]
        return first if count == 1 else f"{count} problems are open; the newest: {first}"
    if digest.charts_ready_on:
        return "The charts are still learning"
    return "No alert is open"


def words(digest: Digest) -> str:
    """The digest without its pictures."""
    parts = [headline(digest)]
    parts += [f"Raised {_day(alert.raised_on)}: {alert.explanations[0]}" for alert in digest.alerts]
    parts += [f"Cleared: {sentence}" for sentence in digest.cleared]
    if digest.acts:
        parts.append("Deals that need an act:\n" + "\n".join(map(_act, digest.acts)))
    for seen in digest.outlooks[:CURRENCIES_SHOWN]:
        target = f"; the target is {pictures.short(seen.target)}" if seen.target else ""
        parts.append(
            f"By {_day(seen.ends_on)}, {seen.currency or 'no currency'}: {pictures.short(seen.booked)} booked, "
            f"{pictures.short(seen.median)} expected, {pictures.short(seen.low)} to {pictures.short(seen.high)} "
            f"in four of five cases{target}."
        )
    parts += [
        f"Since {_day(digest.since)}, {move.currency}: {move.created_deals} deals created "
        f"({pictures.short(move.created)}), {move.won_deals} won ({pictures.short(move.won)}), "
        f"{move.lost_deals} lost ({pictures.short(move.lost)}); {pictures.short(move.closing)} open."
        for move in digest.movements
    ]
    return "\n\n".join([*parts, f"As of {_day(digest.as_of)}, publication {digest.publication_id}."])


def mail(settings: Settings, digest: Digest, say: Callable[[str], None]) -> int:
    """Mail the digest once, where mail is set up; returns how many channels failed."""
    from orchestration.notify.channels import Message, from_env
    from orchestration.notify.news import News
    from orchestration.notify.tell import tell

    mails = [channel for channel in from_env() if channel.name == "e-mail"]
    news = News("digest", digest.publication_id, "", "the digest", words(digest))
    subject = f"Inflight, {_day(digest.as_of)}: {headline(digest)}"
    message = Message(subject, news.text, page(digest), f"inflight-{digest.as_of:%Y-%m-%d}.html")
    return tell(settings, [news], say, mails, lambda _: message)


def _act(act) -> str:
    due = f", due {_day(act.due_on)}" if act.due_on else ""
    return f"  {act.rank}. {act.name or act.deal_id} ({act.owner or 'nobody'}): {act.next_act or 'an act'}{due}"


def _day(moment: date | datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _publication_before(settings: Settings) -> Path | None:
    """What people saw until this publication; releases are named by their time."""
    releases = sorted(path for path in (settings.published / "releases").iterdir() if path.suffix != ".building")
    shown = settings.published_database.resolve().parent
    earlier = [path for path in releases if path.name < shown.name]
    return earlier[-1] / "inflight.duckdb" if earlier else None
