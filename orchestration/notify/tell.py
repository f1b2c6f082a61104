"""Tell every channel what it does not know yet, and keep what it was told.

A channel is told of a subject when its state is not the one that it was last told. So an alert is told once, its end
once, and a channel that was out of reach is told the next time.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from orchestration.notify.channels import Channel, ChannelError, InPart, Message, from_env
from orchestration.notify.news import News, failed
from orchestration.settings import Settings

TEST = Message("Inflight: a test", "Alerts and failed nights will be told here.")
MAX_TOLD = 20  # in one message; the table funnel_alerts has them all


class Told:
    """What each channel was told, a line of JSON a time: data/notify/told.jsonl."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.data / "notify" / "told.jsonl"
        self.states: dict[tuple[str, str], str] = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                with suppress(ValueError):  # a kill may have cut a line
                    told = json.loads(line)
                    self.states[told["channel"], told["subject"]] = told["state"]

    def knows(self, channel: str, news: News) -> bool:
        return self.states.get((channel, news.subject), news.at_rest) == news.state

    def add(self, channel: str, news: Iterable[News]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        now = f"{datetime.now(UTC):%FT%TZ}"
        with self.path.open("a") as file:
            for each in news:
                self.states[channel, each.subject] = each.state
                told = {"told_at": now, "channel": channel, "subject": each.subject, "state": each.state}
                file.write(f"\n{json.dumps(told, ensure_ascii=False)}")


def tell(
    settings: Settings,
    news: list[News],
    say: Callable[[str], None],
    channels: list[Channel] | None = None,
    in_words: Callable[[list[News]], Message] | None = None,
) -> int:
    """Tell what is new to each channel; returns how many of them failed. A failure is said, and stops nothing."""
    failures = 0
    told = Told(settings)
    for channel in from_env() if channels is None else channels:
        fresh = [each for each in news if not told.knows(channel.name, each)]
        if not fresh:
            continue
        try:
            channel.send((in_words or _message)(fresh))
            told.add(channel.name, fresh)
        except InPart as error:
            told.add(channel.name, fresh)
            say(f"{channel.name} was told in part: {error}")
        except ChannelError as error:
            say(f"{channel.name} was not told: {error}")
            failures += 1
        except Exception as error:  # a fault of ours must not take the night down, nor show what it held
            say(f"{channel.name} was not told: {type(error).__name__}")
            failures += 1
        else:
            say(f"{channel.name} was told: {', '.join(each.title for each in fresh[:3])}")
    return failures


def tell_of_failure(settings: Settings, message: str, say: Callable[[str], None]) -> None:
    """Tell that the night failed; a night as of an earlier day is somebody's question and no news."""
    if settings.as_of is None:
        tell(settings, [failed("the night", message)], say)


def _message(news: list[News]) -> Message:
    """One message for all there is to tell, the worst first."""
    more = f" and {len(news) - 1} more" if len(news) > 1 else ""
    left = f"\n\n… and {len(news) - MAX_TOLD} more." if len(news) > MAX_TOLD else ""
    text = "\n\n".join(each.text for each in news[:MAX_TOLD])
    return Message(f"Inflight: {news[0].title}{more}", text + left)
