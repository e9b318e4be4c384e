#!/bin/sh
# Runs dyvine as the person that owns the folder of videos, never as root.
# PUID and PGID (usual on a NAS) say whose id that is; `docker run --user` works as well.
set -eu

umask "${UMASK:-022}"
first_run() {
    [ -e "$DYVINE_HOME/config.toml" ] || {
        printf '# Every setting: dyvine config init --config other.toml\npath = "%s/media"\n' "$DYVINE_HOME" \
            >"$DYVINE_HOME/config.toml"
    }
}

if [ "$(id -u)" != 0 ]; then
    first_run
    exec dyvine "$@"
fi

owner=${PUID:-1000}
group=${PGID:-1000}
case "$owner$group" in
*[!0-9]*)
    echo "error: PUID and PGID are numbers, not '$owner' and '$group'" >&2
    exit 2
    ;;
esac
if [ "$owner" = 0 ]; then
    echo "error: dyvine does not run as root; set PUID and PGID to the owner of the folder of videos (id -u, id -g)" >&2
    exit 2
fi
# Only the top: what lies below was made by the same person, and may be millions of files.
[ "$(stat -c %u:%g "$DYVINE_HOME")" = "$owner:$group" ] || chown "$owner:$group" "$DYVINE_HOME"
export HOME="$DYVINE_HOME"
exec setpriv --reuid "$owner" --regid "$group" --clear-groups --no-new-privs -- "$0" "$@"
