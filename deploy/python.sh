#!/bin/sh
# Prints the path of an interpreter that can make a virtual environment: python.sh VERSION ..., for example 3.13.
# Takes the first version that PATH or pyenv has; prints nothing and fails if there is none.
set -u

pyenv=$(pyenv root 2>/dev/null || echo "${PYENV_ROOT:-$HOME/.pyenv}")
for version in "$@"; do
    # a shim of pyenv stands in PATH whether or not its version is switched on, so that only a start tells
    is_it="import ensurepip, sys; sys.exit(sys.version_info[:2] != (${version%.*}, ${version#*.}))"
    for python in "python$version" python3 python "$pyenv/versions/$version".*/bin/python; do
        if "$python" -c "$is_it" 2>/dev/null; then
            command -v "$python"
            exit
        fi
    done
done
exit 1
