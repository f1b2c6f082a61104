"""What follows a publication: PostgreSQL, the digest, and telling people. None of it undoes the publication.

It runs after each publication and on each night that leaves one standing, so that what failed is made up for.
"""

from collections.abc import Callable

from orchestration.defs.publish import postgres
from orchestration.defs.publish.publish import current, publication_of
from orchestration.defs.publish.teams import publish_team, slug, team_database, teams_with_files
from orchestration.notify.news import News, alerts, failed, well
from orchestration.notify.tell import tell
from orchestration.progress import say
from orchestration.settings import Settings


def deliver(settings: Settings) -> list[str]:
    """Bring others what they have not got yet; returns what failed, in words."""
    if settings.as_of or current(settings) is None:
        return []  # a night as of an earlier day is somebody's question, and is shown to nobody else
    news = [well("the night")]
    news += _attempt("the teams' files", lambda: _teams(settings)) if any(teams_with_files(settings)) else []
    news += _attempt("PostgreSQL", lambda: to_postgres(settings)) if postgres.target() else []
    news += _attempt("the digest", lambda: _digest(settings))
    try:
        news += alerts(settings.published_database)
    except Exception as error:
        news.append(failed("reading the alerts", type(error).__name__))
    problems = [f"{each.subject}: {each.text}" for each in news if each.state.startswith("failed")]
    untold = tell(settings, news, lambda text: say("notify", text))
    return problems + ([f"{untold} channels were not told"] if untold else [])


def to_postgres(settings: Settings) -> None:
    """Bring PostgreSQL to what BI sees, and to what each team sees that has a file. Raises PostgresError."""
    url, schema = postgres.target()
    databases = {schema: settings.published_database}
    for team in teams_with_files(settings):
        databases[f"{schema}_{slug(team)}"] = team_database(settings, team)
    for name, database in databases.items():
        sent = postgres.send(database.resolve(), url, name, settings.data / "postgres")
        if sent.tables_sent:
            waited = "" if sent.waited else "; a reader's transaction outlasted our wait and may see two publications"
            say("publish", f"PostgreSQL, schema {name}: {sent.tables_sent} tables sent{waited}")


def _teams(settings: Settings) -> None:
    """Bring the teams' files to what BI sees, those that are not."""
    shown = current(settings)
    for team in list(teams_with_files(settings)):
        if publication_of(team_database(settings, team)) != shown.publication_id:
            publish_team(settings, team)


def _digest(settings: Settings) -> None:
    from orchestration.digest.digest import mail, write

    path, digest = write(settings)
    say("digest", str(path))
    mail(settings, digest, lambda text: say("digest", text))


def _attempt(subject: str, work: Callable[[], None]) -> list[News]:
    """Whatever goes wrong here is told and stops nothing: the publication stands."""
    try:
        work()
    except postgres.PostgresError as error:
        message = str(error)
    except Exception as error:
        message = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    else:
        return [well(subject)]
    say("failed", f"{subject}: {message}. The publication stands; the next night tries again.")
    return [failed(subject, message)]
