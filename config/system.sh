#!/bin/sh
# Install the system packages that are missing, by apt. `config/system.sh run` for the site, `config/system.sh test` adds a browser.
# Never starts, stops or changes a service of the machine: what apt brings is kept from starting, now and at boot.
set -eu
purpose=${1:-run}
python=${PYTHON:-python3}

need=""
enough_python() { "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
new_node() { node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null; }
browser() { [ -n "${LUNE_CHROMIUM:-}" ] || command -v chromium-headless-shell || command -v chromium || command -v chromium-browser || command -v google-chrome; }
postgres_server() { ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null; }
pgrouting() { ls /usr/share/postgresql/*/extension/pgrouting.control 2>/dev/null; }
postgis() { ls /usr/share/postgresql/*/extension/postgis.control 2>/dev/null; }

if ! enough_python; then
    echo "Lune needs Python 3.11 or later; $python is $("$python" --version 2>&1)." >&2
    echo "Install it (Debian 12, Ubuntu 24.04 and later have it) or name another: make run PYTHON=/path/to/python3.12" >&2
    exit 1
fi
"$python" -c 'import ensurepip, venv' 2>/dev/null || need="$need python3-venv"
postgres_server >/dev/null || need="$need postgresql"
postgis >/dev/null || need="$need postgis-for-postgresql"
{ command -v redis-server && command -v redis-cli; } >/dev/null || need="$need redis-server"
new_node || need="$need nodejs"
command -v npm >/dev/null || need="$need npm"
# Ubuntu's own chromium is a snap, which does not run everywhere: there `make` fetches Playwright's.
# Roads of a test are loaded and routed on by the real ones; the site itself runs without them (docs/travel.md).
if [ "$purpose" = test ]; then
    command -v osm2pgrouting >/dev/null || need="$need osm2pgrouting"
    pgrouting >/dev/null || need="$need pgrouting-for-postgresql"
fi
if [ "$purpose" = test ] && ! grep -qs '^ID=ubuntu' /etc/os-release; then browser >/dev/null || need="$need chromium-headless-shell"; fi
[ -n "$need" ] || exit 0

echo "Missing:$need"
if ! command -v apt-get >/dev/null; then
    echo "This is not a Debian or Ubuntu. Install the above by your system's own means, then run this again." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    admin=""
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    admin="sudo"
else
    echo "You are not an administrator here. Ask one to run, in this folder:  sh config/system.sh $purpose" >&2
    echo "(it installs:$need)" >&2
    exit 1
fi

$admin apt-get update -q
# PostGIS is packaged for each PostgreSQL: take the one that this system's own PostgreSQL goes with.
case "$need" in *postgis-for-postgresql*)
    extension=$(apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' | cut -d' ' -f1 | sort -V | tail -n 1)
    if postgres_server >/dev/null; then
        version=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1 | cut -d/ -f5)
        extension="postgresql-$version-postgis-3"
    fi
    need=$(echo "$need" | sed "s/postgis-for-postgresql/$extension/") ;;
esac
# pgRouting goes with the PostgreSQL that is there, or with the newest that there is a package for.
case "$need" in *pgrouting-for-postgresql*)
    version=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 | cut -d/ -f5)
    if [ -z "$version" ]; then
        version=$(apt-cache search --names-only '^postgresql-[0-9]+-pgrouting$' | cut -d' ' -f1 | cut -d- -f2 | sort -V | tail -n 1)
    fi
    need=$(echo "$need" | sed "s/pgrouting-for-postgresql/postgresql-$version-pgrouting/") ;;
esac
case "$need" in *" postgresql"*)
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        $admin mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" | $admin tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi ;;
esac
# The Debian way to say that nothing may start while packages are installed.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $admin tee "$policy" >/dev/null
    $admin chmod 755 "$policy"
    trap '$admin rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086
$admin env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confold $need
case "$need" in *redis-server*)
    # We brought it, so it must not start at the next boot either. Fails harmlessly where systemd is absent.
    $admin systemctl disable redis-server >/dev/null 2>&1 || true ;;
esac
if ! new_node; then
    echo "Lune needs Node.js 18 or later to build its pages; this system offers $(node --version 2>&1)." >&2
    echo "Put a newer node and npm on the PATH, then run this again." >&2
    exit 1
fi
