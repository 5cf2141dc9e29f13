"""`python -m firmware_sim`: the same as `wellkept sim`."""

from firmware_sim.cli import app
from telemetry import logs

if __name__ == "__main__":
    logs.set_up("sim")
    app(prog_name="wellkept sim")
