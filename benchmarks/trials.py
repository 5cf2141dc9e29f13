"""The named scenarios on seeds kept for testing, and the table docs/trial-results.md.

    python -m benchmarks.trials --out .wellkept/trials/test --table docs/trial-results.md

The same as `wellkept trial all`. Each scenario is run on seeds from 9001 on until it has 150 device-years; a folder
that is there is not run again, so that the command can be interrupted and given once more.
"""

from __future__ import annotations

import sys

from stack.cli_trial import trial_app


def main() -> None:
    """Run by command line."""
    trial_app(args=["all", *sys.argv[1:]], prog_name="python -m benchmarks.trials")


if __name__ == "__main__":
    main()
