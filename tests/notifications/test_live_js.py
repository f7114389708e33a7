"""The pure parts of the page's own script, by node's test runner."""

import subprocess

from tests.stack.live import BASE_DIR


def test_the_script_that_keeps_a_page_true():
    result = subprocess.run(
        ["node", "--test", *(f"frontend/src/{name}.test.mjs" for name in ("live", "countdown", "waiting"))],
        cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    assert "# fail 0" in result.stdout
