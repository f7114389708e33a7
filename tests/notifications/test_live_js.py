"""The pure parts of the page's own script, by node's test runner."""

import subprocess

from tests.stack.live import BASE_DIR


def test_the_script_that_keeps_a_page_true():
    result = subprocess.run(
        ["node", "--test", "frontend/src/live.test.mjs", "frontend/src/countdown.test.mjs"], cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout
    assert "# fail 0" in result.stdout
