#!/usr/bin/env bash
# Copies one version of flow-proxy, with what it needs to run and nothing else, to a folder of its own below the prefix
# and prints that folder. Switches nothing over: that is install.sh's and upgrade.sh's.
#
#   ops/install-release.sh SOURCE PREFIX     SOURCE: a built checkout, or an unpacked package
set -euo pipefail
umask 022

source=$(realpath -e "${1:?usage: install-release.sh SOURCE PREFIX}")
prefix=${2:?usage: install-release.sh SOURCE PREFIX}
die() { echo "install-release: $*" >&2; exit 1; }

[ -f "$source/package.json" ] || die "$source holds no package.json"
[ -f "$source/dist/src/cli/main.js" ] || die "$source is not built: run npm install there first"
version=$(node -p 'require(process.argv[1]).version' "$source/package.json")

mkdir -p "$prefix/releases"
incoming=$(mktemp -d "$prefix/releases/.incoming.XXXXXX")
trap 'rm -rf "$incoming"' EXIT

cd "$source"
parts=()
for part in package.json package-lock.json dist/src/cli/main.js dist/chunks dist/page dist/workers dist/ops ops systemd \
  logrotate docs .env.example secrets.json.template README.md ARCHITECTURE.md CHANGELOG.md LICENSE \
  node_modules/.package-lock.json; do
  [ ! -e "$part" ] || parts+=("$part")
done
if [ -d node_modules ]; then
  # Only what runs: no compiler, no test tools.
  mapfile -t packages < <(npm ls --omit=dev --all --parseable 2>/dev/null | grep "^$source/node_modules/" | sed "s|^$source/||")
  parts+=("${packages[@]}")
fi
# Names, sizes and times tell quickly that nothing has changed since it was installed.
fingerprint=$(find "${parts[@]}" -type f -printf '%p %s %T@\n' | sort | sha256sum | cut -d ' ' -f 1)
for known in "$prefix/releases/$version"-*; do
  if [ "$fingerprint" = "$(cat "$known/.source" 2>/dev/null)" ]; then
    echo "$known"
    exit 0
  fi
done
tar --create --exclude='*.map' --exclude='*.d.ts' --exclude='*.d.[cm]ts' "${parts[@]}" |
  tar --extract --no-same-owner --directory "$incoming"
if [ ! -d node_modules ]; then
  if [ -f package-lock.json ]; then install=(ci); else install=(install --no-package-lock); fi
  (cd "$incoming" && npm "${install[@]}" --omit=dev --ignore-scripts --no-audit --no-fund --silent)
fi
chmod -R u=rwX,go=rX "$incoming"
chmod 0755 "$incoming/dist/src/cli/main.js"
node -- "$incoming/dist/src/cli/main.js" --version >/dev/null || die "version $version from $source does not run here"

# The same again is no new release.
for known in "$prefix/releases/$version"-*; do
  if [ -d "$known" ] && diff -rq --exclude=.source "$incoming" "$known" >/dev/null 2>&1; then
    echo "$fingerprint" >"$known/.source"
    echo "$known"
    exit 0
  fi
done
release=$prefix/releases/$version-$(date -u +%Y%m%dT%H%M%SZ)
while [ -e "$release" ]; do release=$release+; done
echo "$fingerprint" >"$incoming/.source"
mv "$incoming" "$release"
echo "$release"
