"""The pure parts of the page's own script, by node's test runner."""

import json
import random
import subprocess
from datetime import UTC, date, datetime, timedelta

from capacity.models import CapacityStatus
from capacity.status import Freshness, Said, rag, timeline, told
from tests.stack.live import BASE_DIR


def test_the_script_that_keeps_a_page_true():
    result = subprocess.run(
        ["node", "--test", *(f"frontend/src/{name}.test.mjs" for name in ("live", "countdown", "waiting"))],
        cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    assert "# fail 0" in result.stdout


#: Reads cases from its argument, and prints what a page says of each.
PAGE = """
import { stateAt, told } from "./frontend/src/live.js";
const cases = JSON.parse(process.argv[1]);
const shown = ([line, reported, at]) => [...stateAt(line, Date.parse(at)).slice(1), told(reported, Date.parse(at))];
console.log(JSON.stringify(cases.map(shown)));
"""


def test_a_badge_decays_in_a_browser_as_on_the_server():
    """The one function of the server, and what a page makes of the timeline that it was sent, say the same at every later moment."""
    chance, cases, expected = random.Random(4), [], []
    for _ in range(200):
        at = datetime(2026, 3, 28, tzinfo=UTC) + timedelta(minutes=chance.randrange(500_000))
        pool = {
            "status": chance.choice(CapacityStatus.values), "free": chance.choice([None, 0, 1, 9]), "maximum": chance.choice([None, 9, 30]),
            "is_open": chance.random() < 0.8, "reported_at": chance.choice([None, at - timedelta(minutes=chance.randrange(6_000))]),
            "freshness": Freshness(timedelta(hours=24), timedelta(hours=72)),
            "said": Said(closed_until=chance.choice([None, date(2026, 6, 3)]), waiting=chance.choice([None, 4])),
        }  # fmt: skip
        later = at + timedelta(minutes=chance.randrange(20_000))
        line = [[start.isoformat(), state.rag.value, state.word, state.reason] for start, state in timeline(**pool, at=at)]
        cases.append([line, pool["reported_at"] and pool["reported_at"].isoformat(), later.isoformat()])
        state = rag(**pool, at=later)
        expected.append([state.rag.value, state.word, state.reason, told(pool["reported_at"], later)])
    page = ["node", "--input-type=module", "-e", PAGE, json.dumps(cases)]
    result = subprocess.run(page, cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(result.stdout) == expected
