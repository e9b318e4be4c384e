"""Lives with `sync` at random until one goes wrong: `--lives` of `--steps` each from `--seed` on; `-v` tells every step.

python tests/bench/years.py --lives 1000 --steps 60
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.operations.sync.happenings import Years


def live(seed: int, steps: int, *, verbose: bool) -> int:
    """One life; how many calls it made of the platform. Raises Wrong."""
    with tempfile.TemporaryDirectory() as folder:
        life = Years(seed, Path(folder), log=print if verbose else lambda text: None)
        asyncio.run(life.live(steps))
        return life.world.calls


def main() -> None:
    """Live so many lives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lives", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("-v", "--verbose", action="store_true")
    given = parser.parse_args()
    logging.disable()  # a killed process leaves tasks behind
    began, calls = time.monotonic(), 0
    for seed in range(given.seed, given.seed + given.lives):
        calls += live(seed, given.steps, verbose=given.verbose)
    steps = given.lives * given.steps
    print(
        f"{given.lives:,} lives, {steps:,} steps, {calls:,} calls, {time.monotonic() - began:.0f} s: all well"
    )


if __name__ == "__main__":
    main()
