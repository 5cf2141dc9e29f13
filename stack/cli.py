"""The `wellkept` command."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from stack import cli_access  # noqa: F401  (adds to the commands of tokens and staff)
from stack.cli_adapter import adapter_app
from stack.cli_api import api_app
from stack.cli_audit import audit_app
from stack.cli_backup import backup, restore
from stack.cli_bench import bench_app
from stack.cli_demo import demo
from stack.cli_desk import AsJson, DataDir, device_app, staff_app, token_app
from stack.cli_detect import detect
from stack.cli_doctor import doctor
from stack.cli_export import export_app
from stack.cli_household import household_app
from stack.cli_levels import levels, mail_in
from stack.cli_listener import listener
from stack.cli_parts import part_app, way_app
from stack.cli_replay import replay_ticket
from stack.cli_report import report_app
from stack.cli_rul import rul_app
from stack.cli_scoreboard import scoreboard
from stack.cli_shadow import shadow_app
from stack.cli_technician import area, technician_app
from stack.cli_trace import trace
from stack.cli_trial import trial_app
from stack.cli_world import world
from stack.clockwork import Clockwork, describe, is_production
from stack.console import database_url, emit, err, fail, nats_url, running
from stack.errors import StackError
from stack.settings import DEFAULT_DATA_DIR, Settings
from stack.status import collect
from stack.supervisor import Supervisor
from storage.migrate import migrate
from storage.pool import connect
from stream.nats_client import NatsStream
from telemetry import logs
from telemetry.clock import system_wall
from telemetry.errors import WellkeptError

_RUN = "Run it"
_DESK = "The service desk"
_READ = "Readings and detectors"
_CONNECT = "Connect to it"
_TRY = "Simulate and measure"
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer(
    name="wellkept",
    help="Notices an appliance's fault weeks before it stops, plans the visit, and proves the repair by telemetry.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
clock_app = typer.Typer(help="The fleet clock.", no_args_is_help=True)
dead_letter_app = typer.Typer(help="Messages that could not be taken in.", no_args_is_help=True)
app.command("demo", epilog="Example: wellkept demo --headless --for 300 --json", rich_help_panel=_RUN)(demo)


@app.command(epilog="Example: wellkept up --data-dir /var/lib/wellkept", rich_help_panel=_RUN)
def up(
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    host: Annotated[str | None, typer.Option(help="Address of pages and API; the loopback unless told.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Their port; any free one otherwise.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Worker processes; 1 unless told.")] = None,
    home_assistant: Annotated[
        str | None, typer.Option(help="Tell Home Assistant of the appliances, under this prefix: homeassistant.")
    ] = None,
    adapters: Annotated[
        Path | None, typer.Option(help="File of foreign payloads to read too: Tasmota, Shelly, … (docs/adapters.md).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the product on this machine until Ctrl-C or SIGTERM.

    Broker, stream and database are started too, unless WELLKEPT_MQTT_URL, WELLKEPT_NATS_URL or WELLKEPT_DATABASE_URL
    name your own.
    """
    given = {
        "data_dir": data_dir,
        "http_host": host,
        "http_port": port,
        "workers": workers,
        "adapters": adapters,
        "home_assistant": home_assistant,
    }
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    supervisor = Supervisor(settings, lambda line: err.print(line, highlight=False))
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: supervisor.ask_to_stop())
    try:
        supervisor.start_servers()
        supervisor.start_processes()
        supervisor.wait_ready()
        if as_json:
            emit(collect(data_dir), as_json=True)
            sys.stdout.flush()
        supervisor.run()
    finally:
        supervisor.stop()


@app.command(epilog="Example: wellkept status --json", rich_help_panel=_RUN)
def status(*, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Say what runs, where, and how far behind it is."""
    found = collect(data_dir)
    if as_json:
        emit(found, as_json=True)
        return
    emit(found.pop("parts"), as_json=False)
    if workers := found.pop("workers", None):
        emit(workers, as_json=False)
    emit(found, as_json=False)


@app.command("migrate", epilog="Example: WELLKEPT_DATABASE_URL=postgresql://… wellkept migrate", rich_help_panel=_RUN)
def migrate_command(*, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Bring the database to the schema of this version."""
    applied = migrate(database_url(data_dir))
    emit({"applied": applied} if as_json else f"{len(applied)} migrations applied", as_json=as_json)


@dead_letter_app.command("replay", epilog="Example: wellkept dead-letter replay acme/fridge-7")
def dead_letter_replay(
    *,
    device: Annotated[str, typer.Argument(help="ORG/DEVICE, registered by now.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Bring in what a device sent before it was registered."""
    from stack.replay import replay_dead_letters  # noqa: PLC0415  (its imports are this command's alone)

    count = replay_dead_letters(device, database_url(data_dir), nats_url(data_dir))
    emit({"device": device, "replayed": count} if as_json else f"{count} messages replayed", as_json=as_json)


@clock_app.command("show", epilog="Example: wellkept clock show --json")
def clock_show(*, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Show fleet time and its speed."""
    emit(collect(data_dir).get("clock") or {"production": True}, as_json=as_json)


@clock_app.command("speed", epilog="Example: wellkept clock speed 3600")
def clock_speed(
    *,
    speed: Annotated[float, typer.Argument(min=0, help="Fleet seconds a second; 0 pauses.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Change the speed of an accelerated fleet clock; it takes effect about a second later."""
    running(data_dir)
    stream = NatsStream(nats_url(data_dir), name="command")
    try:
        with connect(database_url(data_dir), application="wellkept-clock", autocommit=True) as conn:
            work = Clockwork.present(conn, stream, system_wall, data_dir)
            if is_production(work.clock):
                raise StackError("the fleet clock is the wall clock here, and stays so")
            clock = work.set_speed(speed)
    finally:
        stream.close()
    emit(describe(clock, system_wall()), as_json=as_json)


@app.command(
    context_settings=_PASS_ON,
    epilog="Example: wellkept sim replay --set tracebase --only refrigerator",
    rich_help_panel=_TRY,
)
def sim(
    ctx: typer.Context,
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Simulated devices and replays of recordings; `wellkept sim --help` lists what there is.

    A replay goes into the product that runs in the data directory: recordings are registered, and the fleet clock is
    anchored at their first row. With WELLKEPT_MQTT_URL set it goes to that broker instead.
    """
    from firmware_sim.cli import app as sim_app  # noqa: PLC0415  (numpy and paho for this command alone)
    from firmware_sim.cli_common import Tools  # noqa: PLC0415  (likewise)
    from stack.sim_features import read_features  # noqa: PLC0415  (likewise)

    if ctx.args[:1] == ["replay"] and "--help" not in ctx.args and not Settings().mqtt_url:
        from stack.replay_run import replay_into  # noqa: PLC0415  (likewise)

        replay_into(data_dir, ctx.args[1:])
        return
    if ctx.args[:1] == ["command"] and "--help" not in ctx.args and not Settings().mqtt_url:
        os.environ["WELLKEPT_MQTT_URL"] = running(data_dir).secrets["mqtt_url"]
    sim_app(args=ctx.args, prog_name="wellkept sim", obj=Tools(read_features))


@app.command(epilog="Example: wellkept screens docs/img/pages --gallery docs/screens.md", rich_help_panel=_TRY)
def screens(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")] = Path("docs/img/pages"),
    *,
    page: Annotated[Path | None, typer.Option("--gallery", help="Write a page of Markdown that shows them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take pictures of every page, in both languages, light and dark; needs Chromium."""
    from stack.screens import gallery, take  # noqa: PLC0415  (playwright for this command alone)

    taken = take(folder, lambda line: err.print(line, highlight=False))
    if page is not None:
        gallery(folder, page)
    emit([{"picture": str(path)} for path in taken] if as_json else f"{len(taken)} pictures", as_json=as_json)


app.command("doctor", epilog="Example: wellkept doctor --data-dir /var/lib/wellkept", rich_help_panel=_RUN)(doctor)
app.command("backup", epilog="Example: wellkept backup /backups/2026-11-22", rich_help_panel=_RUN)(backup)
app.command("restore", epilog="Example: wellkept restore /backups/2026-11-22", rich_help_panel=_RUN)(restore)
app.command("area", epilog="Example: wellkept area Xuhui 31.19 121.44 --org acme", rich_help_panel=_DESK)(area)
app.command(
    "levels", epilog="Example: wellkept levels --file our-levels.toml --zone Europe/Berlin", rich_help_panel=_DESK
)(levels)
app.command("mail-in", epilog="Example: wellkept mail-in reply.eml --json", rich_help_panel=_DESK)(mail_in)
app.command(
    "detect",
    epilog="Example: wellkept detect pump.csv --profile multichannel --train-rows 400 -o scores.csv",
    rich_help_panel=_READ,
)(detect)
app.command("replay-ticket", epilog="Example: wellkept replay-ticket WK-1001 --json", rich_help_panel=_READ)(
    replay_ticket
)
app.command("scoreboard", epilog="Example: wellkept scoreboard --json", rich_help_panel=_READ)(scoreboard)
app.command("trace", epilog="Example: wellkept trace WK-1001", rich_help_panel=_READ)(trace)
app.command("listener", epilog="Example: wellkept listener acme --json", rich_help_panel=_CONNECT)(listener)
app.command("world", epilog="Example: wellkept world --seed 7 --trace", rich_help_panel=_TRY)(world)
app.add_typer(staff_app, name="staff", rich_help_panel=_DESK)
app.add_typer(household_app, name="household", rich_help_panel=_DESK)
app.add_typer(device_app, name="device", rich_help_panel=_DESK)
app.add_typer(technician_app, name="technician", rich_help_panel=_DESK)
app.add_typer(part_app, name="part", rich_help_panel=_DESK)
app.add_typer(way_app, name="way", rich_help_panel=_DESK)
app.add_typer(report_app, name="report", rich_help_panel=_DESK)
app.add_typer(audit_app, name="audit", rich_help_panel=_DESK)
app.add_typer(export_app, name="export", rich_help_panel=_DESK)
app.add_typer(rul_app, name="rul", rich_help_panel=_READ)
app.add_typer(shadow_app, name="shadow", rich_help_panel=_READ)
app.add_typer(dead_letter_app, name="dead-letter", rich_help_panel=_READ)
app.add_typer(token_app, name="token", rich_help_panel=_CONNECT)
app.add_typer(api_app, name="api", rich_help_panel=_CONNECT)
app.add_typer(adapter_app, name="adapter", rich_help_panel=_CONNECT)
app.add_typer(trial_app, name="trial", rich_help_panel=_TRY)
app.add_typer(bench_app, name="bench", rich_help_panel=_TRY)
app.add_typer(clock_app, name="clock", rich_help_panel=_TRY)


def main() -> None:
    """Entry point: errors that the product knows are one sentence, never a traceback."""
    logs.set_up("wellkept")
    try:
        app()
    except WellkeptError as error:
        fail(error)
