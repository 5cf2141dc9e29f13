"""`wellkept rul`: remaining life learned from units that ran until they failed, and told of units that still run."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from stack.cli_desk import AsJson
from stack.console import emit, err
from stack.errors import StackError

rul_app = typer.Typer(
    help="Remaining life, learned from units that ran until they failed (docs/results/rul.md).", no_args_is_help=True
)

FIT_EXAMPLE = "Example: wellkept rul fit train_FD001.txt --format cmapss -o fd001.life"
PREDICT_EXAMPLE = "Example: wellkept rul predict fd001.life test_FD001.txt -o life.csv"


class Format(StrEnum):
    """How a table of units is written."""

    CMAPSS = "cmapss"
    CSV = "csv"


_Unit = Annotated[str | None, typer.Option(help="CSV: the column that names the unit; the first.")]
_Time = Annotated[str | None, typer.Option("--time", help="CSV: the column of cycles or hours; the second.")]


@rul_app.command("fit", epilog=FIT_EXAMPLE)
def fit_command(
    *,
    train: Annotated[Path, typer.Argument(metavar="TRAIN", help="Units that ran until they failed; gzipped or not.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the model goes.")],
    form: Annotated[Format, typer.Option("--format", help="cmapss: NASA's text; csv: with a header.")] = Format.CMAPSS,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 10_001, help="Same table and seed, same model.")] = 0,
    cap: Annotated[
        float | None,
        typer.Option(
            min=0, help="Life above which nothing is told apart; 125 cycles (cmapss), 5/8 of the median (csv)."
        ),
    ] = None,
    unit: _Unit = None,
    time_column: _Time = None,
    settings: Annotated[str | None, typer.Option(help="CSV: columns of operating settings, a,b,c.")] = None,
    sensors: Annotated[str | None, typer.Option(help="CSV: columns of sensors, a,b,c; all other numbers.")] = None,
    as_json: AsJson = False,
) -> None:
    """Fit a life model: the last row of each unit is its failure.

    Prints the error over training rows whose unit the trees had not seen. The model is a file of numbers with a hash;
    nothing in it runs.
    """
    from detectors.rul.model import CAP, fit  # noqa: PLC0415  (scikit-learn for this command alone)
    from detectors.rul.storage import encode  # noqa: PLC0415  (likewise)
    from stack.life_table import Layout, read_units  # noqa: PLC0415  (likewise)

    layout = Layout(unit, time_column, _names(settings) or (), _names(sensors))
    records, left_out = read_units(train, form.value, layout)
    _say(left_out)
    if cap is None and form is Format.CMAPSS:
        cap = CAP
    if cap is not None and cap <= 0:
        raise StackError("--cap must be above 0")
    begun = time.process_time()
    with err.status("reading") as status:
        model = fit(records, seed=seed, cap=cap, progress=status.update)
    content = encode(model)
    _replace(output, content)
    found = {
        "model": str(output),
        "bytes": len(content),
        "units": model.trained[0],
        "rows": model.trained[1],
        "settings": len(model.settings),
        "sensors": len(model.sensors),
        "sensors_used": len(model.parts[0].conditions.keep),
        "regimes": max(1, len(model.parts[0].conditions.centres)),
        "cap": model.cap,
        "seed": model.seed,
        "cross_validated_rmse": round(model.cross, 3),
        "cpu_seconds": round(time.process_time() - begun, 1),
    }
    emit(found, as_json=as_json)


@rul_app.command("predict", epilog=PREDICT_EXAMPLE)
def predict_command(
    *,
    model_file: Annotated[Path, typer.Argument(metavar="MODEL", help="Of `wellkept rul fit`.")],
    test: Annotated[Path, typer.Argument(metavar="TEST", help="Units that still run; gzipped or not.")],
    output: Annotated[str, typer.Option("--output", "-o", help="unit, rul, lo90, hi90; - for standard output.")] = "-",
    form: Annotated[Format | None, typer.Option("--format", help="As in fit; guessed unless told.")] = None,
    every_cycle: Annotated[bool, typer.Option("--every-cycle", help="A row a row of TEST, with its time.")] = False,
    unit: _Unit = None,
    time_column: _Time = None,
    as_json: AsJson = False,
) -> None:
    """Tell what remains of each unit at its last row, with the 90 % interval.

    `rul` is at most the model's cap. Where the interval reaches the cap, `hi90` is how long units that looked alike
    lasted in training. What is said of a row rests on it and the rows of its unit before it.
    """
    from detectors.rul.model import table  # noqa: PLC0415  (scikit-learn's trees for this command alone)
    from detectors.rul.storage import decode  # noqa: PLC0415  (likewise)
    from stack.life_table import CSV, Layout, form_of, read_units  # noqa: PLC0415  (likewise)

    if output != "-" and Path(output).resolve() in {test.resolve(), model_file.resolve()}:
        raise StackError(f"the predictions would replace {output}: name another file with -o")
    try:
        content = model_file.read_bytes()
    except OSError as error:
        raise StackError(f"{model_file} cannot be read: {error.strerror}") from error
    model = decode(content, str(model_file))
    chosen = form.value if form is not None else form_of(test)
    named = (model.settings, model.sensors) if chosen == CSV else ((), None)
    records, _ = read_units(test, chosen, Layout(unit, time_column, *named))
    count = 0
    with _writer(output) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["unit", *(["time"] if every_cycle else []), "rul", "lo90", "hi90"])
        for name, at, rul, low, high in table(model, records, every_row=every_cycle):
            when = [f"{at:.10g}"] if every_cycle else []
            writer.writerow([name, *when, *(f"{value:.6g}" for value in (rul, low, high))])
            count += 1
    if output != "-":
        emit({"output": output, "units": len(records.units), "rows": count, "cap": model.cap}, as_json=as_json)


def _names(told: str | None) -> tuple[str, ...] | None:
    return None if told is None else tuple(name.strip() for name in told.split(",") if name.strip())


def _say(left_out: dict[str, str]) -> None:
    for name, reason in left_out.items():
        err.print(f"left out: {name} ({reason})", highlight=False, markup=False)


def _replace(path: Path, content: bytes) -> None:
    """Write the whole file or none of it."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(content)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise StackError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _writer(path: str) -> Iterator[TextIO]:
    if path == "-":
        try:
            yield sys.stdout
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read the rows has seen enough; the interpreter must not try once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        return
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise StackError(f"{path} cannot be written: {error.strerror}") from error
