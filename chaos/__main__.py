"""``python -m chaos``: run many tasks under disruption; succeed only if each task does and each effect exists once."""

from __future__ import annotations

import argparse

from chaos.campaign import run_campaign
from demo.cli import run_and_exit


def main() -> None:
    """Run the campaign with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--tasks", type=int, default=200, help="tasks per product (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sandbox's faults (default: %(default)s)")
    interval, outage = "seconds between restarts of the triggerer", "seconds that the sandbox is down"
    parser.add_argument("--restart-interval", type=float, default=20, help=f"{interval} (default: %(default)s)")
    parser.add_argument("--outage", type=float, default=30, help=f"{outage} (default: %(default)s)")
    options = parser.parse_args()
    run_and_exit(
        lambda: run_campaign(
            options.tasks,
            options.seed,
            restart_interval_seconds=options.restart_interval,
            outage_seconds=options.outage,
        )
    )


if __name__ == "__main__":
    main()
