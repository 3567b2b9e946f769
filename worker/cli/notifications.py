"""`notifications`: who is told what, whether it reaches them, and what they were told."""

import itertools
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from handlers.connections.channel import Channel, Mail, Webhook
from handlers.connections.notification_file import read_notifications
from handlers.connections.providers import read
from handlers.errors import MaintenworksError
from handlers.rules.notices import Notice
from handlers.settings import load
from handlers.store import notices
from handlers.store.notices import Sending
from worker.cli import looking, output
from worker.cli.roles import Home
from worker.notifications import webhook, wording
from worker.notifications.notifier import installation, new_id
from worker.notifications.sending import deliver
from worker.settings import WorkerSettings

CHANNELS: Final = ("channel", "by", "to", "kinds", "problem")
TOLD: Final = ("made", "channel", "state", "attempts", "what", "last error")
STANDING: Final = ("kind", "subject", "since", "told", "over", "what")

commands = typer.Typer(help="Who is told what, without a monitoring system.", no_args_is_help=True)


@commands.command()
def check(home: Home = None, as_json: looking.Json = False) -> None:
    """Check that notifications.toml can be read and that every secret in it can be had; nothing is sent.

    `env:` references are read from this process's environment: run it where the scheduler runs. Exits 1 where any
    channel has a problem.

    Example: `maintenworks notifications check`
    """
    settings = load(WorkerSettings, home=home)
    channels = read_notifications(settings.notifications_path).channels
    found = [(each, _problem(each, settings)) for each in channels.values()]
    if as_json:
        looking.json_lines(_described(each) | {"problem": why} for each, why in found)
    else:
        looking.rows(CHANNELS, [_cells(each, why) for each, why in found])
    if not found:
        looking.nothing(f"no channels in {settings.notifications_path}; nobody is told anything")
    if any(why is not None for _, why in found):
        raise typer.Exit(output.FAILURE)


@commands.command("test")
def try_out(
    name: Annotated[str, typer.Argument(metavar="CHANNEL", help="Which of notifications.toml.")],
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Send a test to one channel now, once. Exits 69 where it was not taken.

    Example: `maintenworks notifications test on-call`
    """
    settings = load(WorkerSettings, home=home)
    told = read_notifications(settings.notifications_path)
    channel = told.channels.get(name)
    if channel is None:
        looking.nothing(f"no channel {name!r} in {settings.notifications_path}")
    now = datetime.now(UTC)
    message_id = new_id(now)
    content = wording.trial(told.name or installation())
    deliver(channel, content, message_id, made_at=now, now=now, home=settings.home)
    if as_json:
        output.json_line({"done": "sent", "channel": name, "message": message_id})
    else:
        output.line(f"sent {message_id} to {name}: {_described(channel)['to']}")


@commands.command("list")
def list_(
    *,
    standing: Annotated[bool, typer.Option("--standing", help="What is remembered: what stands, who knows.")] = False,
    limit: looking.Limit = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print what people were told, the newest first, and what is on its way to them.

    Example: `maintenworks notifications list --limit 20`

    Example: `maintenworks notifications list --standing --json`
    """
    with looking.opened(home) as (_, database):
        if standing:
            known = notices.kept(database)[:limit]
            rows = [_standing(each) for each in known]
            told = (dict(zip(STANDING, row, strict=True)) for row in rows)
            count = looking.json_lines(told) if as_json else looking.rows(STANDING, rows)
        else:
            sent = itertools.islice(notices.listed(database), limit)
            count = looking.json_lines(map(_row, sent)) if as_json else looking.rows(TOLD, map(_line, sent))
    if not count:
        looking.nothing("nothing stands" if standing else "nobody was told anything yet")


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="notifications", rich_help_panel="Connections")


def _problem(channel: Channel, settings: WorkerSettings) -> str | None:
    """Why a channel cannot work, as far as that can be told without sending anything."""
    try:
        if isinstance(channel, Webhook):
            webhook.address(channel, settings.home)
            webhook.signed(channel, b"{}", new_id(datetime.now(UTC)), datetime.now(UTC), settings.home)
        elif isinstance(channel, Mail) and channel.password is not None:
            read(channel.password.text, settings.home)
    except MaintenworksError as error:
        return str(error)
    return None


def _described(channel: Channel) -> dict[str, Any]:
    """A channel without anything that may be a secret: of an address that is kept elsewhere, where."""
    by, to = "", ""
    if isinstance(channel, Webhook):
        by, to = "webhook", webhook.shown(channel)
    elif isinstance(channel, Mail):
        by, to = f"mail, {channel.host} port {channel.port}, tls {channel.tls}", ", ".join(channel.to)
    return {"channel": channel.name, "by": by, "to": to, "kinds": list(channel.kinds)}


def _cells(channel: Channel, why: str | None) -> tuple[object, ...]:
    told = _described(channel)
    return (told["channel"], told["by"], told["to"], ", ".join(told["kinds"]), why or "ok")


def _row(sending: Sending) -> dict[str, Any]:
    return {
        "message": sending.message_id,
        "made_at": sending.made_at,
        "channel": sending.channel,
        "state": sending.state,
        "attempts": sending.attempts,
        "due_at": sending.due_at if sending.ended_at is None else None,
        "ended_at": sending.ended_at,
        "last_error": sending.last_error,
        "content": sending.content,
    }


def _standing(notice: Notice) -> tuple[object, ...]:
    summary = wording.summary(notice)
    return (notice.kind, notice.subject, notice.since, notice.told_at, notice.gone_at, summary)


def _line(sending: Sending) -> tuple[object, ...]:
    return (
        sending.made_at,
        sending.channel,
        sending.state,
        sending.attempts,
        sending.content.get("subject"),
        sending.last_error,
    )
