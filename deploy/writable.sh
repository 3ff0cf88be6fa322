#!/bin/sh
# Fails with a sentence if this user can't write to a folder, or can't make it: writable.sh FOLDER.
set -eu

folder=$1
[ -e "$folder" ] || folder=$(dirname "$folder")
[ ! -w "$folder" ] || exit 0
owner=$(ls -ld "$folder" | awk '{print $3}')
cat >&2 <<END
errand: $(cd "$folder" 2>/dev/null && pwd || echo "$folder") belongs to $owner, and $(id -un 2>/dev/null || id -u) can't write to it.
errand: To take over the whole folder: sudo chown -R $(id -un 2>/dev/null || id -u) "$PWD"; or clone it again into a folder of your own
END
exit 1
