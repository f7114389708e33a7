#!/bin/sh
# The tests that need services: `make test` runs this while they are up. $1: how many processes.
# Browser tests run apart: Playwright's own event loop and that of the socket tests cannot share a process.
set -u
processes=${1:-2}
failed=0
.venv/bin/python manage.py makemigrations --check --dry-run || failed=1
.venv/bin/pytest -q -n "$processes" --dist loadfile -m "not browser and not bench" || failed=1
.venv/bin/pytest -q -n "$processes" --dist loadfile -m browser || failed=1
exit $failed
