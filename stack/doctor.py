"""`wellkept doctor`: what keeps the product from working, where, and the mend."""

from __future__ import annotations

from pathlib import Path

from stack import run_state
from stack.checks import Finding, run_checks
from stack.doctor_machine import machine_checks
from stack.doctor_product import product_checks
from stack.settings import Settings


def examine(data_dir: Path, settings: Settings | None = None) -> list[Finding]:
    """Everything: the machine always, the product where one runs."""
    settings = settings or Settings(data_dir=data_dir)
    state = run_state.load(data_dir)
    runs = state is not None and state.supervisor.alive
    findings = run_checks(machine_checks(data_dir, settings, runs=runs))
    if runs or (settings.database_url and settings.nats_url):
        findings += run_checks(product_checks(data_dir, settings, state if runs else None))
    return findings
