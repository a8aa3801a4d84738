"""``python -m chaos``: many tasks, much trouble; ends well only if every task did and each effect is there once."""

from __future__ import annotations

import argparse

from chaos.campaign import campaign
from chaos.command import carry_out


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--tasks", type=int, default=200, help="how many for each product (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the sandbox's faults (default: %(default)s)")
    every, outage = "seconds between restarts of the triggerer", "seconds in which the sandbox is down"
    parser.add_argument("--every", type=float, default=20, help=f"{every} (default: %(default)s)")
    parser.add_argument("--outage", type=float, default=30, help=f"{outage} (default: %(default)s)")
    options = parser.parse_args()
    carry_out(lambda: campaign(**vars(options)))


if __name__ == "__main__":
    main()
