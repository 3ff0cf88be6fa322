#!/bin/sh
# Makes a virtual environment with a Python that Errand runs on: venv.sh FOLDER. PYTHON chooses which.
set -eu

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'
for python in ${PYTHON:-python3.11 python3.12 python3}; do
    if "$python" -c "$fits" 2>/dev/null; then
        echo "making $1 with $("$python" --version) ..."
        "$python" -m venv "$1" && exit 0
        rm -rf "$1"
        echo "errand: $python has no venv; on Debian or Ubuntu: apt-get install $(basename "$python")-venv" >&2
        exit 1
    fi
done
echo "errand: needs Python 3.11 or 3.12, and none of these is one: ${PYTHON:-python3.11 python3.12 python3}" >&2
echo "errand: install it, or name it: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
