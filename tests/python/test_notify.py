"""People are told of an alert once, by every channel, and no channel's failure is anybody else's."""

import json
import traceback
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner

from orchestration.cli import main
from orchestration.defs.schedules import on_failure
from orchestration.notify import channels
from orchestration.notify.channels import ChannelError, Mail, Message, Telegram, Webhook, from_env
from orchestration.notify.news import News, alerts, failed, well
from orchestration.notify.tell import Told, tell, tell_of_failure
from orchestration.settings import AS_OF, Settings
from tests.python.fake_apis import FakeApi
from tests.python.fake_mail import FakeMail

TOKEN = "123456:s3cr3t-t0ken"
OPEN = News("alert a1", "open", "cleared", "Alert: Proposal, team North", "Raised: slower.")
CLEARED = News("alert a1", "cleared", "cleared", "Cleared: Proposal, team North", "Cleared.")
ENVIRONMENT = [name for name in vars(channels).values() if isinstance(name, str) and name.startswith("NOTIFY_")]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    """No pause between attempts, and no channel of the machine that the tests run on."""
    monkeypatch.setattr(channels, "PAUSE", 0.0)
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def api():
    with FakeApi(lambda call: (200, {"ok": True})) as api:
        yield api


@pytest.fixture
def mail():
    with FakeMail() as mail:
        yield mail


@pytest.fixture
def said() -> list[str]:
    return []


def test_a_letter_reaches_all_recipients_with_words_and_page(mail: FakeMail):
    channel = Mail(f"smtp://anna%40x:p%3Aw@{mail.address}", "inflight@x", ("a@x", "b@x"))
    channel.send(Message("Две новости\n: 2", "Words, ещё.", "<p>Page</p>"))
    (letter,) = mail.letters
    assert letter["Subject"] == "Две новости : 2"  # a line break would begin another header
    assert letter["To"] == "a@x, b@x"
    assert letter.get_body(("plain",)).get_content().strip() == "Words, ещё."
    assert [part.get_content() for part in letter.iter_attachments()] == ["<p>Page</p>"]
    assert mail.logins == [("anna@x", "p:w")]


def test_a_webhook_gets_the_text_that_slack_takes(api: FakeApi):
    Webhook(f"{api.url}/services/T0/B0").send(Message("Subject", "a < b & c"))
    assert api.calls[0].path == "/services/T0/B0"
    assert api.calls[0].body == {"text": "*Subject*\na &lt; b &amp; c"}


def test_telegram_gets_a_long_message_in_parts(api: FakeApi):
    Telegram(TOKEN, "-100", api.url).send(Message("Subject", "\n".join(["a line of text"] * 400)))
    assert {call.path for call in api.calls} == {f"/bot{TOKEN}/sendMessage"}
    texts = [call.body["text"] for call in api.calls]
    assert [call.body["chat_id"] for call in api.calls] == ["-100"] * len(texts)
    assert len(texts) == 2 and max(map(len, texts)) <= 4096
    assert "\n".join(texts).count("a line of text") == 400


@pytest.mark.parametrize("faults", [{0: 500}, {0: 429, 1: 503}, {0: "cut"}])
def test_what_may_pass_is_tried_again(api: FakeApi, faults):
    api.faults = faults
    Webhook(api.url).send(Message("s", "t"))
    assert api.calls[-1].body == {"text": "*s*\nt"}


def test_a_mail_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not(mail: FakeMail):
    channel = Mail(f"smtp://{mail.address}", "i@x", ("a@x",))
    mail.faults = {1: "451 later"}
    channel.send(Message("s", "t"))
    assert len(mail.letters) == 1
    mail.faults = {3: "554 we do not want this"}
    with pytest.raises(ChannelError, match="554 we do not want this"):
        channel.send(Message("s", "t"))
    assert mail.attempts == 3


def test_those_whom_a_letter_reached_do_not_get_it_again_because_of_the_others(
    settings: Settings, mail: FakeMail, said: list[str]
):
    mail.unknown = ("gone@x",)
    channel = [Mail(f"smtp://{mail.address}", "i@x", ("a@x", "gone@x"))]
    for _ in range(2):
        assert tell(settings, [OPEN], said.append, channel) == 0
    assert len(mail.letters) == 1
    assert said == ["e-mail was told in part: refused for 1 of 2 recipients"]


def test_the_parts_of_a_message_that_arrived_are_not_sent_again(settings: Settings, api: FakeApi, said: list[str]):
    api.answer = lambda call: (200, {}) if len(api.calls) == 1 else (403, {})
    news = [replace(OPEN, text="\n".join(["a line of text"] * 400))]
    for _ in range(2):
        assert tell(settings, news, said.append, [Telegram(TOKEN, "-100", api.url)]) == 0
    assert len(api.calls) == 2
    assert said == ["Telegram was told in part: 1 of 2 parts arrived; the answer was 403 {}"]


def test_a_secret_is_hidden_wherever_the_answer_is_cut(api: FakeApi):
    api.answer = lambda call: (403, {"error": "x" * 180 + TOKEN})
    with pytest.raises(ChannelError) as raised:
        Telegram(TOKEN, "1", api.url).send(Message("s", "t"))
    assert TOKEN[:4] not in str(raised.value)


def test_no_failure_shows_a_secret(api: FakeApi):
    api.answer = lambda call: (403, {"error": f"no such bot {TOKEN} at {call.path}"})
    nowhere = "http://127.0.0.1:9"
    for channel in (
        Telegram(TOKEN, "1", api.url),
        Telegram(TOKEN, "1", nowhere),
        Webhook(f"{api.url}/services/{TOKEN}"),
        Webhook(f"{nowhere}/services/{TOKEN}"),
        Webhook(f"no address/{TOKEN}"),
        Mail(f"smtp://user:{TOKEN}@127.0.0.1:9", "i@x", ("a@x",)),
    ):
        with pytest.raises(ChannelError) as raised:
            channel.send(Message("s", "t"))
        assert TOKEN not in "".join(traceback.format_exception(raised.value))


def test_an_alert_is_told_once_and_its_end_once(settings: Settings, api: FakeApi, said: list[str]):
    hook = [Webhook(api.url)]
    for news in ([OPEN], [OPEN], [CLEARED], [CLEARED]):
        assert tell(settings, news, said.append, hook) == 0
    assert [call.body["text"].split("\n")[0] for call in api.calls] == [
        "*Inflight: Alert: Proposal, team North*",
        "*Inflight: Cleared: Proposal, team North*",
    ]


def test_the_end_of_an_alert_that_nobody_was_told_of_is_no_news(settings: Settings, api: FakeApi, said: list[str]):
    tell(settings, [CLEARED], said.append, [Webhook(api.url)])
    assert not api.calls


def test_a_channel_that_was_out_of_reach_is_told_the_next_time_and_the_others_at_once(
    settings: Settings, api: FakeApi, said: list[str]
):
    broken, sound = Webhook("http://127.0.0.1:9", name="broken"), Webhook(api.url)
    assert tell(settings, [OPEN], said.append, [broken, sound]) == 1
    assert len(api.calls) == 1
    assert "broken was not told: no answer (ConnectionError)" in said
    assert tell(settings, [OPEN], said.append, [Webhook(api.url, name="broken"), sound]) == 0
    assert len(api.calls) == 2


def test_many_alerts_are_one_message(settings: Settings, api: FakeApi, said: list[str]):
    news = [News(f"alert {i}", "open", "cleared", f"Alert {i}", f"Text {i}.") for i in range(30)]
    tell(settings, news, said.append, [Webhook(api.url)])
    (call,) = api.calls
    assert call.body["text"].startswith("*Inflight: Alert 0 and 29 more*\nText 0.")
    assert call.body["text"].endswith("and 10 more.")


def test_a_night_that_fails_is_told_once_a_day_and_so_is_its_recovery(settings: Settings, api: FakeApi, said):
    hook = [Webhook(api.url)]
    for news in (well("the night"), *[failed("the night", "gate 1: no rows")] * 2, *[well("the night")] * 2):
        tell(settings, [news], said.append, hook)
    assert [call.body["text"].split("\n")[1] for call in api.calls] == ["gate 1: no rows", "The night works again."]


def test_a_night_as_of_an_earlier_day_tells_nobody(settings: Settings, api: FakeApi, said, monkeypatch):
    monkeypatch.setenv(channels.WEBHOOK_URL, api.url)
    monkeypatch.setenv(AS_OF, "2025-06-30T00:00:00")
    tell_of_failure(settings, "no rows", said.append)
    assert not api.calls
    monkeypatch.delenv(AS_OF)
    tell_of_failure(settings, "no rows", said.append)
    assert len(api.calls) == 1


def test_what_fails_in_dagster_is_told_with_what_bi_still_shows(settings: Settings, api: FakeApi, monkeypatch):
    monkeypatch.setenv("INFLIGHT_DATA", str(settings.data))
    monkeypatch.setenv(channels.WEBHOOK_URL, api.url)

    @dg.op
    def gate_1() -> None:
        raise dg.Failure("no rows", allow_retries=False)

    @dg.job(hooks={on_failure}, executor_def=dg.in_process_executor)
    def night() -> None:
        gate_1()

    assert not night.execute_in_process(raise_on_error=False).success
    (call,) = api.calls
    assert call.body["text"] == "*Inflight: The night failed*\ngate_1 failed: no rows. BI has nothing yet."


def test_what_was_told_survives_a_line_that_a_kill_cut(settings: Settings):
    Told(settings).add("webhook", [OPEN])
    with Told(settings).path.open("a") as file:
        file.write('\n{"told_at": "2026-01-01", "chan')
    Told(settings).add("e-mail", [OPEN])
    assert Told(settings).knows("webhook", OPEN)
    assert Told(settings).knows("e-mail", OPEN)
    lines = [line for line in Told(settings).path.read_text().splitlines() if line]
    assert json.loads(lines[0]).keys() == {"told_at", "channel", "subject", "state"}


def test_an_incident_is_one_alert_told_by_its_first_culprit(tmp_path: Path):
    database = tmp_path / "published.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute("create table publication as select 1 as x")
    assert alerts(database) == []
    with duckdb.connect(str(database)) as con:
        con.execute("""
            create table funnel_alerts as select * from (values
                ('a1', 'open', date '2026-06-01', null::date, 2, 'Proposal, all: slower.'),
                ('a1', 'open', date '2026-06-01', null, 1, 'Proposal, team North: slower.'),
                ('a0', 'cleared', date '2026-01-01', date '2026-03-01', 1, 'Inbound: fewer.')
            ) as t (alert_id, status, raised_on, cleared_on, culprit_rank, explanation)
        """)
    cleared, opened = alerts(database)
    assert (opened.subject, opened.state, opened.title) == ("alert a1", "open", "Alert: Proposal, team North")
    assert opened.text == f"Raised {date(2026, 6, 1)}: Proposal, team North: slower."
    assert (cleared.subject, cleared.state) == ("alert a0", "cleared")


def test_the_test_command_says_of_each_channel_whether_it_delivers(
    settings: Settings, api: FakeApi, mail: FakeMail, monkeypatch, capfd
):
    monkeypatch.setenv("INFLIGHT_DATA", str(settings.data))
    assert CliRunner().invoke(main, ["notify", "--test"]).output.startswith("Error: no channel is set up")
    monkeypatch.setenv(channels.SMTP_URL, f"smtp://{mail.address}")
    monkeypatch.setenv(channels.MAIL_TO, "a@x, b@x")
    monkeypatch.setenv(channels.WEBHOOK_URL, api.url)
    monkeypatch.setenv(channels.TELEGRAM_TOKEN, TOKEN)
    assert CliRunner().invoke(main, ["notify", "--test"]).exit_code == 1
    monkeypatch.setenv(channels.TELEGRAM_CHAT, "1")
    monkeypatch.setenv(channels.TELEGRAM_URL, api.url)
    assert CliRunner().invoke(main, ["notify", "--test"]).exit_code == 0
    assert [channel.name for channel in from_env()] == ["e-mail", "webhook", "Telegram"]
    assert len(mail.letters) == 2 and len(api.calls) == 3
    assert TOKEN not in capfd.readouterr().err
