#!/bin/sh
# Creates a virtual environment with a supported Python: venv.sh FOLDER. PYTHON names the interpreter to use.
set -eu

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'
for python in ${PYTHON:-python3.11 python3.12 python3}; do
    if "$python" -c "$fits" 2>/dev/null; then
        echo "creating $1 with $("$python" --version) ..."
        "$python" -m venv "$1" && exit 0
        rm -rf "$1"
        echo "errand: $python has no venv; on Debian or Ubuntu: apt-get install $(basename "$python")-venv" >&2
        exit 1
    fi
done
echo "errand: Python 3.11 or 3.12 is required, but none of these is one: ${PYTHON:-python3.11 python3.12 python3}" >&2
echo "errand: install it, or name an interpreter: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
