#!/bin/sh
# Installs Errand into .venv: install.sh PIP_ARGUMENTS ... Says in a sentence why pip could not.
set -eu
sh "$(dirname "$0")/writable.sh" .venv

log=$(mktemp)
trap 'rm -f "$log"' EXIT
.venv/bin/python -m pip -q --disable-pip-version-check --no-input install "$@" 2>"$log" && exit 0

if reason=$(grep -o "Retrying (Retry.*connection broken by .*" "$log" | tail -n 1) && [ -n "$reason" ]; then
    echo "pip: ${reason#*connection broken by }" >&2
    echo "errand: pip can't reach the package index. Check the network, or give pip a proxy: PIP_PROXY=... make ..." >&2
    echo "errand: an index of your own goes into pip's settings: pip config set global.index-url ..." >&2
else
    grep -v '^WARNING' "$log" >&2 || true
    echo "errand: pip could not install Errand; its lines above say why" >&2
fi
exit 1
