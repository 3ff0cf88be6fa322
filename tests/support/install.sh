#!/bin/sh
# Brings the real servers and the browser of the tests where it may: as root, where there is apt-get.
# Where it may not, it says so and succeeds; those tests then skip with the reason, or fail when CI=true.
set -eu

packages=""
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || packages="$packages rabbitmq-server"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages="$packages postgresql"
command -v chromium >/dev/null || packages="$packages chromium"
[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || packages="$packages nginx-light"
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || packages="$packages libfaketime"
[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "tests: not installed:$packages (no apt-get here); the tests that need them use Docker or skip"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "tests: not installed:$packages (not root); to have them: sudo apt-get install$packages"
    exit 0
fi

echo "tests: installing$packages (takes a minute or two) ..."
export DEBIAN_FRONTEND=noninteractive
# a package must not start its server: the tests start their own, on ports of their own
policy=/usr/sbin/policy-rc.d
made_policy=""
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made_policy=yes
fi
log=$(mktemp)
status=0
{ apt-get update -q && apt-get install -q -y --no-install-recommends $packages; } >"$log" 2>&1 || status=$?
[ -z "$made_policy" ] || rm -f "$policy"
if [ "$status" != 0 ]; then
    tail -n 20 "$log"
    echo "tests: apt-get could not install$packages; see the lines above"
fi
rm -f "$log"
