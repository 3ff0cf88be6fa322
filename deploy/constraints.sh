#!/bin/sh
# Updates the pins. All extras of pyproject.toml are resolved together first, so that they agree on versions; then each
# extra alone, in its own environment, to find only what it needs. Run it as `make constraints`.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# resolve SIDE EXTRAS [pip options]: writes $work/SIDE.txt with name==version lines only
resolve() {
    side=$1 extras=$2
    shift 2
    echo "resolving $side ..."
    sh deploy/venv.sh "$work/$side" >/dev/null
    "$work/$side/bin/python" -m pip -qq --disable-pip-version-check install "$@" ".[$extras]"
    "$work/$side/bin/python" -m pip --disable-pip-version-check freeze --all |
        grep -E '^[A-Za-z0-9._-]+==[^ ]+$' | grep -vE '^(errand|pip|wheel)==' | LC_ALL=C sort -f >"$work/$side.txt"
}

resolve dev api,workers,embedded,dev
for side in api workers embedded; do
    resolve $side $side --constraint "$work/dev.txt"
done
# only after every resolution succeeded
for side in api workers embedded dev; do
    {
        echo "# What [$side] was tested with, on $("$work/dev/bin/python" --version). Made by \`make constraints\`; don't edit."
        [ $side != dev ] || echo "# Holds the other sides' pins too, so that it can be used alone."
        cat "$work/$side.txt"
    } >config/constraints/$side.txt
done
