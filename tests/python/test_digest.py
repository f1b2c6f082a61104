"""The digest says what is published, needs nothing but itself, and leaves out what is not there."""

import re
from pathlib import Path

import duckdb
import pytest

from orchestration.digest.digest import mail, page, words, write
from orchestration.digest.pictures import short
from orchestration.digest.read import read
from orchestration.notify import channels
from orchestration.settings import Settings
from tests.python.fake_mail import FakeMail

PUBLICATION = """
create table publication as
select '20260630' as publication_id, timestamp '2026-06-30 23:59:59' as as_of, 'dim_deals' as table_name
"""
ALERTS = """
create table funnel_alerts as select * from (values
    ('a1', 'open', date '2026-06-30', null::date, 1, 'task_timeliness', 's1', 'proposal', 'North', date '2026-06-15',
        'Proposal, team North: slower. Since about 2026-06-15.'),
    ('a1', 'open', date '2026-06-30', null, 2, 'task_timeliness', 's1', 'proposal', null, date '2026-06-15',
        'Proposal, the whole department: slower.'),
    ('a0', 'cleared', date '2026-02-01', date '2026-06-30', 1, 'inbound_volume', null, null, null, date '2026-01-15',
        'Inbound: fewer new deals.')
) as t (alert_id, status, raised_on, cleared_on, culprit_rank, signal, stage_id, step, team, started_on_estimate,
    explanation)
cross join (select null::varchar as segment, null::varchar as channel, 7e6::decimal(18, 2) as amount_at_stake,
    'EUR' as currency)
"""
MONITOR = """
create table funnel_monitor as
select
    date_day::date as date_day, 'task_timeliness' as signal, null::varchar as stage_id, 'proposal' as step,
    null::varchar as segment, null::varchar as channel, team,
    case when date_day >= date '2026-06-15' then 2.0 else 5.0 end as observed, 5.0 as expected
from range(date '2026-04-01', date '2026-07-01', interval 1 day) as t (date_day), (values ('North'), (null)) as u (team)
"""
MOVEMENTS = """
create table fct_pipeline_movements as
select
    date_day::date as date_day, horizon, 'EUR' as currency, 100.0 as opening_amount, 30.0 as created_amount,
    10.0 as won_amount, 5.0 as lost_amount, 100.0 as closing_amount, 3 as created_deals, 1 as won_deals, 2 as lost_deals
from range(date '2026-05-01', date '2026-07-01', interval 1 day) as t (date_day), (values ('a'), ('b')) as u (horizon);
create table dim_dates as
select distinct date_day, date_trunc('month', date_day)::date as month_start_date from fct_pipeline_movements
"""
DEALS = """
create table dim_deals as select * from (values
    ('d1', '<script>alert(1)</script>', 'mid_market', 'North', 1234567::decimal(18, 2), 'EUR'),
    ('d2', 'Lost & gone', null, null, null, null)
) as t (deal_id, deal_name, segment, team, amount, currency);
create table fct_deals as select * from (values
    ('d1', timestamp '2026-06-30 10:00:00', null::timestamp), ('d2', null, timestamp '2026-06-29 10:00:00')
) as t (deal_id, won_at, lost_at)
"""
ATTENTION = """
create table dim_users as select 'u1' as user_id, 'Anna Adler' as user_name;
create table deals_needing_attention as
select
    'd1' as deal_id, '<b>Acme</b>' as deal_name, 'u1' as owner_id, 'North' as team, 5000::decimal(18, 2) as amount,
    'send_proposal' as next_act, 'overdue' as next_act_status, date '2026-06-20' as due_on, 'Act.' as sentence,
    n as rank_overall
from range(1, 26) as t (n)
"""
NOWCAST = """
create table bookings_nowcast as
select 'quarter_end' as horizon, date '2026-10-01' as horizon_ends_on, 'all' as segment, 'all' as team,
    'EUR' as currency, 1e6 as booked_so_far, 5e6 as median, 4e6 as low_80, 6e6 as high_80, 7e6 as target
"""


@pytest.fixture
def publish(settings: Settings):
    """Put a publication of these tables where BI looks; as a second one, it has one before it."""

    def run(*statements: str, name: str = "2") -> Path:
        folder = settings.published / "releases" / name
        folder.mkdir(parents=True)
        with duckdb.connect(str(folder / "inflight.duckdb")) as con:
            for statement in statements:
                con.execute(statement)
        link = settings.published / "inflight.duckdb"
        link.unlink(missing_ok=True)
        link.symlink_to(folder / "inflight.duckdb")
        return folder / "inflight.duckdb"

    return run


def test_the_page_needs_no_other_file_and_runs_nothing(publish):
    database = publish(PUBLICATION, ALERTS, MONITOR, MOVEMENTS, DEALS, ATTENTION, NOWCAST)
    html = page(read(database))
    assert not re.search(r"<script|<link|<img|<iframe|\ssrc=|\shref=|url\(|@import|https?://", html)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html and "&lt;b&gt;Acme&lt;/b&gt;" in html
    assert "By 30 September 2026: 1M EUR booked, 5M expected" in html
    assert html.count("<svg") == html.count("</svg>") == 3  # the alert's chart, the outlook, months


def test_a_publication_without_these_tables_says_only_what_is_known(publish):
    digest = read(publish(PUBLICATION))
    html = page(digest)
    assert "No alert is open" in html
    assert not re.search("Bookings|Open pipeline|need an act|<svg", html)
    assert words(digest) == "No alert is open\n\nAs of 30 June 2026, publication 20260630."


def test_an_alert_is_told_in_words_with_what_its_own_chart_saw(publish):
    digest = read(publish(PUBLICATION, ALERTS, MONITOR))
    (alert,) = digest.alerts
    assert alert.is_new
    assert alert.explanations == [
        "Proposal, team North: slower. Since about 2026-06-15.",
        "Proposal, the whole department: slower.",
    ]
    assert [(week.observed, week.expected) for week in alert.weeks[-4:-1]] == [(35, 35), (14, 35), (14, 35)]
    assert "New problem: Proposal, team North: slower" in page(digest)
    assert digest.cleared == ["Inbound: fewer new deals."]


def test_what_changed_is_counted_from_the_publication_that_people_saw_last(publish):
    before = publish(PUBLICATION.replace("2026-06-30 ", "2026-06-27 "), name="1")
    database = publish(PUBLICATION, ALERTS, MOVEMENTS, DEALS)
    (three_days,) = read(database, before).movements
    assert (three_days.created_deals, three_days.won, three_days.opening, three_days.closing) == (18, 60, 200, 200)
    assert three_days.other == -90  # 200 + 180 - 60 - 30 is not 200
    assert [deal.deal_id for deal in read(database, before).lost] == ["d2"]
    (one_day,) = read(database).movements
    assert one_day.created_deals == 6
    assert read(database).lost == []
    again = read(database, database)  # published twice in a day
    assert again.since == read(database).since


def test_a_month_under_way_is_marked(publish):
    until_the_29th = PUBLICATION.replace("2026-06-30 ", "2026-06-29 ")
    whole = read(publish(PUBLICATION, MOVEMENTS)).months["EUR"]
    assert [(month.won, month.is_whole) for month in whole] == [(620, True), (600, True)]
    under_way = read(publish(until_the_29th, MOVEMENTS, name="3")).months["EUR"]
    assert [(month.won, month.is_whole) for month in under_way] == [(620, True), (580, False)]


def test_the_first_deals_to_act_on_are_listed_and_the_rest_counted(publish):
    digest = read(publish(PUBLICATION, ATTENTION))
    assert [act.rank for act in digest.acts] == list(range(1, 11))
    assert digest.acts[0].owner == "Anna Adler"
    assert "10 of 25" in page(digest)


def test_charts_that_learn_are_not_silence(publish):
    learning = "create table funnel_visibility as select 'learning' as status, date '2026-12-01' as ready_on"
    html = page(read(publish(PUBLICATION, learning)))
    assert "The charts are still learning" in html and "1 December 2026" in html


def test_the_digest_is_written_and_mailed_once_a_publication(publish, settings: Settings, monkeypatch):
    publish(PUBLICATION, ALERTS, MONITOR)
    path, digest = write(settings)
    assert path == settings.data / "digest" / "2026-06-30.html"
    assert path.read_text() == (path.parent / "latest.html").read_text() == page(digest)
    said: list[str] = []
    with FakeMail() as post:
        monkeypatch.setenv(channels.SMTP_URL, f"smtp://{post.address}")
        monkeypatch.setenv(channels.MAIL_TO, "head@x")
        for _ in range(2):
            assert mail(settings, digest, said.append) == 0
        (letter,) = post.letters
    assert letter["Subject"] == "Inflight, 30 June 2026: New problem: Proposal, team North: slower"
    (attached,) = letter.iter_attachments()
    assert attached.get_content().strip() == page(digest).strip()


@pytest.mark.parametrize(
    ("amount", "told"), [(0, "0"), (999, "999"), (1000, "1k"), (1250, "1.2k"), (-2.5e6, "-2.5M"), (3e9, "3B")]
)
def test_amounts_are_short(amount: float, told: str):
    assert short(amount) == told
