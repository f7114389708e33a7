"""Last places, and many who want them at once: held, taken, given back, run out, lowered, taken back and extended, in any order.

Each round lets 16 to 64 clients go at the same instant, each on its own connection, at a pool with one to three places. Then the pool's
figures, its history, its reservations and what each client was told must tell one story. `LUNE_RACE_ROUNDS` says how many rounds
(`make nightly`: 10,000), `LUNE_RACE_LANES` in how many processes, `LUNE_RACE_SECONDS` for how long at most; with `LUNE_RACE_SEED` the
same wishes come again.
"""

import json
import multiprocessing
import os
import random
import time
import traceback
from collections import Counter
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from tests.factories import UserFactory
from tests.faults.places_race import Lane

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = int(os.environ.get("LUNE_RACE_ROUNDS", "12"))
LANES = int(os.environ.get("LUNE_RACE_LANES", "1"))
SECONDS = float(os.environ.get("LUNE_RACE_SECONDS", "inf"))
SEED = os.environ.get("LUNE_RACE_SEED", "") or str(random.SystemRandom().randrange(10**9))


def run_lane(number: int, rounds: int, told: Any = None) -> dict[str, Any]:
    """One lane's rounds; in a process of its own it tells what came by `told`."""
    UserFactory.reset_sequence(number * 1_000_000, force=True)  # another lane must not make the same addresses
    try:
        result: dict[str, Any] = {"outcomes": Lane(f"{SEED}-{number}").run(rounds, SECONDS)}
    except BaseException:
        if told is None:
            raise
        result = {"failed": traceback.format_exc()}
    finally:
        connections.close_all()
    if told is not None:
        told.put(result)
    return result


def run_lanes() -> list[dict[str, Any]]:
    if LANES == 1:
        return [run_lane(0, ROUNDS)]
    connections.close_all()  # a child must not share its parent's socket
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    shares = [ROUNDS // LANES + (number < ROUNDS % LANES) for number in range(LANES)]
    children = [context.Process(target=run_lane, args=(number, share, told)) for number, share in enumerate(shares)]
    for child in children:
        child.start()
    results: list[dict[str, Any]] = []
    while len(results) < LANES and not any("failed" in result for result in results):
        results.append(told.get())
    for child in children:
        if any("failed" in result for result in results):
            child.terminate()
        child.join()
    return results


def test_last_places_are_neither_oversold_nor_lost():
    began = time.monotonic()
    results = run_lanes()
    seconds = time.monotonic() - began
    broken = [result["failed"] for result in results if "failed" in result]
    assert not broken, f"LUNE_RACE_SEED={SEED}\n" + "\n".join(broken)
    outcomes = sum((result["outcomes"] for result in results), Counter())
    assert outcomes["rounds"] == ROUNDS or seconds > SECONDS
    if "LUNE_RACE_ROUNDS" in os.environ:
        rate = round(outcomes["rounds"] / seconds, 2)
        summary = {"rounds_wanted": ROUNDS, "seconds": round(seconds), "rounds_per_second": rate, "lanes": LANES, "seed": SEED}
        text = json.dumps(summary | {"outcomes": dict(sorted(outcomes.items()))}, indent=1)
        (settings.BASE_DIR / "var" / "races.json").write_text(text + "\n")


def test_a_place_that_was_lost_or_oversold_is_noticed():
    """The checks can fail: a hold that is forgotten, and one that nobody counted."""
    lane = Lane("notice")
    world = lane.world()
    for wrong in (-1, +1):
        world.begin(random.Random(1))
        pool = world.pool
        pool.held += wrong
        pool.available += 1
        pool.save(update_fields=["held", "available"])
        with pytest.raises(AssertionError):
            world.check([])
        pool.held -= wrong
        pool.save(update_fields=["held"])
    lane.close()
