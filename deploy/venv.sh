#!/bin/sh
# Creates a virtual environment with a supported Python: venv.sh FOLDER. PYTHON names the interpreter to use.
set -eu
here=$(dirname "$0")
sh "$here/writable.sh" "$1"

versions="3.11 3.12 3.13 3.14"
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))'

say() { for line in "$@"; do echo "errand: $line" >&2; done; }
version_of() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null; }

if [ -n "${PYTHON:-}" ]; then
    found=$PYTHON
    if ! version=$(version_of "$PYTHON"); then
        say "PYTHON=$PYTHON can't be started; name a Python from 3.11 to 3.14"
        exit 1
    elif ! "$PYTHON" -c "$fits"; then
        say "PYTHON=$PYTHON is Python $version, and Errand needs 3.11 to 3.14"
        exit 1
    fi
elif ! found=$(sh "$here/python.sh" $versions); then
    there="" without_venv=""
    for name in python3.11 python3.12 python3.13 python3.14 python3 python; do
        version=$(version_of "$name") || continue
        there="$there${there:+, }$name ($version)"
        ! "$name" -c "$fits" || without_venv=${without_venv:-$name}
    done
    found=$without_venv
    if [ -z "$found" ]; then
        say "Python 3.11, 3.12, 3.13 or 3.14 is required; found: ${there:-no Python at all}" \
            "  Debian 12, Ubuntu 24.04 or newer: sudo apt-get install python3 python3-venv" \
            "  Fedora: sudo dnf install python3.13     macOS: brew install python@3.13" \
            "  older systems: pyenv install 3.13, or https://www.python.org/downloads" \
            "An interpreter that is not in PATH is named like this: make PYTHON=/path/to/python3.13 ..."
        exit 1
    fi
fi
if ! "$found" -c 'import ensurepip' 2>/dev/null; then
    package=$("$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    say "$found can't make virtual environments; on Debian or Ubuntu: sudo apt-get install $package"
    exit 1
fi

echo "creating $1 with $("$found" --version) ..."
# --clear: what is there belongs to a Python that is gone, or was left half made
"$found" -m venv --clear "$1" || { say "$1 could not be made; the lines above say why"; rm -rf "$1"; exit 1; }
