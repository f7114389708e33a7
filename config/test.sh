#!/bin/sh
# Everything that `make test` checks, while the services are up. $1: how many processes for each kind of test.
# Three things run side by side, because browsers and killed servers leave the processor idle: the tests without a browser, whose
# progress is shown; the browser's journeys, in processes of their own (Playwright's event loop and that of the socket tests cannot
# share one) on databases of their own; and lint, types and contracts. The last two are printed when they have ended.
set -u
processes=${1:-2}
said=var/log/test
mkdir -p "$said"
failed=0

end() { # print what a job in the background said, and keep that it failed
	wait "$2" || failed=1
	echo "$1"
	cat "$3"
}
trap 'kill $journeys $lint 2>/dev/null' INT TERM
journeys=

# The models against the migrations: whatever this checkout's own database has been through is no part of that.
{ make --no-print-directory lint && LUNE_DB=postgres .venv/bin/python manage.py makemigrations --check --dry-run; } >"$said/lint" 2>&1 &
lint=$!
# With new packages everything that is imported has to be compiled, 18 seconds of it: by one process, not by each of six at once.
if [ ! -e "$said/compiled" ] || [ .venv/.synced -nt "$said/compiled" ]; then
	echo "Compiling …"
	.venv/bin/pytest --collect-only -q >/dev/null 2>&1
	touch "$said/compiled"
fi
LUNE_TEST_DB=test_lune_journeys .venv/bin/pytest -q -n "$processes" --dist loadfile --no-loadscope-reorder -m browser tests/journeys >"$said/journeys" 2>&1 &
journeys=$!
echo "Tests without a browser:"
.venv/bin/pytest -q -n "$processes" --dist loadfile --no-loadscope-reorder -m "not browser and not bench" || failed=1
end "Journeys in a browser:" "$journeys" "$said/journeys"
end "Migrations, lint, types and import contracts:" "$lint" "$said/lint"
exit $failed
