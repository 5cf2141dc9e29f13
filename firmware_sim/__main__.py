"""`python -m firmware_sim`: the same as `wellkept sim`."""

from firmware_sim.cli import app

if __name__ == "__main__":
    app(prog_name="wellkept sim")
