#!/usr/bin/env bash
# Brings Redis 8 for the tests to a machine of an older Debian, without installing anything: the packages of a newer
# release are unpacked, with the libraries that they need, into a folder of the cache, where tests/servers.py looks.
#
#     tests/fetch_redis8.sh    prints the path of the program; fails where it cannot be had
#
# apt keeps its lists, its downloads and its idea of what is installed (nothing) in a folder of its own, so that the
# machine's are left alone and no root is needed; mirror and proxy are those that the machine uses.
set -euo pipefail

release=trixie
folder="$HOME/.cache/redispy-servers/redis8"
program="$folder/redis-server"

if [ -x "$program" ] && "$program" --version >/dev/null; then
    echo "$program"
    exit
fi

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$') || {
    echo "no mirror of Debian is among the sources of apt" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/root"
: >"$work/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror $release main" >"$work/sources.list"

apt() {
    apt-get -q -o "Dir::State=$work/state" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" \
        -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "APT::Sandbox::User=$(id -un)" \
        -o Debug::NoLocking=1 "$@" >&2
}
apt update
apt install --yes --no-install-recommends --download-only redis-tools
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$work/root"
done

# One program is the server and more: it goes by the name that it is called by.  Its own loader and libraries run it.
ln -s redis-check-rdb "$work/root/usr/bin/redis-server" 2>/dev/null || true
cat >"$work/redis-server" <<'SCRIPT'
#!/bin/sh
root="$(dirname "$(readlink -f "$0")")/root"
set -- "$root/usr/bin/redis-server" "$@"
exec "$root"/usr/lib*/ld-linux*.so.* --library-path "$(echo "$root"/usr/lib/*-linux-gnu)" "$@"
SCRIPT
chmod +x "$work/redis-server"
"$work/redis-server" --version >&2

# All of it or nothing: what is there is complete.
mkdir -p "$(dirname "$folder")"
rm -rf "$folder"
mkdir "$folder"
cp -a "$work/root" "$folder"
mv "$work/redis-server" "$program"
echo "$program"
