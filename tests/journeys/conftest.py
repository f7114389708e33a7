"""The browser of the journeys: the system's own Chromium where there is one, else Playwright's."""

import os
import shutil
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the Chromium that LUNE_CHROMIUM or the PATH names, silent on the network but for the pages under test."""
    chromium = os.environ.get("LUNE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-gpu",
        "--disable-quic",
        "--disable-sync",
        "--no-first-run",
    ]
    # Chromium's sandbox does not run as root, nor in most containers; the only pages opened are our own.
    return browser_type_launch_args | {"args": [*quiet, "--no-sandbox"]} | ({"executable_path": chromium} if chromium else {})
