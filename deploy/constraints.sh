#!/bin/sh
# Updates the pins. All extras of pyproject.toml are resolved together first, so that they agree on versions; then each
# extra alone, in its own environment, to find only what it needs. Each further Python of this machine must be able to
# take the same pins; what it needs besides is added to them. Run it as `make constraints`.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
everything=api,workers,embedded,dev

# resolve SIDE EXTRAS [pip options]: writes $work/SIDE.txt with name==version lines only
resolve() {
    side=$1 extras=$2
    shift 2
    echo "resolving $side ..."
    sh deploy/venv.sh "$work/$side" >/dev/null
    # setuptools comes with the environment on Python 3.11, at whatever release: it is pinned only where it's needed
    "$work/$side/bin/python" -m pip -qq --disable-pip-version-check install --dry-run --ignore-installed \
        --report "$work/$side.json" "$@" ".[$extras]"
    "$work/$side/bin/python" - "$work/$side.json" >"$work/$side.txt" <<'END'
import json, sys
found = [each["metadata"] for each in json.load(open(sys.argv[1]))["install"]]
pins = [f"{each['name']}=={each['version']}" for each in found if each["name"] != "errand"]
print(*sorted(pins, key=str.lower), sep="\n")
END
}

PYTHON=${PYTHON:-$(sh deploy/python.sh 3.11 3.12 3.13 3.14)}
export PYTHON
resolve dev $everything
for version in 3.12 3.13 3.14; do
    PYTHON=$(sh deploy/python.sh $version) || { echo "no Python $version here: its pins are not checked"; continue; }
    resolve "python$version" $everything --constraint "$work/dev.txt"
    LC_ALL=C sort -f -u "$work/dev.txt" "$work/python$version.txt" >"$work/both.txt"
    mv "$work/both.txt" "$work/dev.txt"
done
PYTHON=$(sh deploy/python.sh 3.11 3.12 3.13 3.14)
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
