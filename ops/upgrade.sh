#!/usr/bin/env bash
# Upgrades an installed flow-proxy without losing a request, and takes the upgrade back when it does not work.
usage() {
  cat <<'TEXT'
Usage: sudo ops/upgrade.sh [SOURCE] [options]

  SOURCE   the new version: a folder (built checkout or unpacked package), a package (.tgz, .tar.gz), an https:// URL of
           a package, or a git URL with an optional #TAG; default is the checkout that this script is part of

  --restart                restart instead of replacing the workers one by one, as is done anyway when the two versions
                           cannot work together; refuses connections for a moment, unless systemd holds the socket
                           (install.sh --socket)
  --client-key-file FILE   client key for the request that verifies the new version
  --path PATH              path of that request (default /v1/models)
  --age RECIPIENT          encrypt the backup of the configuration (see flow-proxy backup --help)
  --passphrase-file FILE   the same with a passphrase
  --keep N                 releases to keep besides the one in use (default 3)
  --help                   show this text
TEXT
}
set -euo pipefail
umask 022

here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
prefix=/opt/flow-proxy-plugin
unit=flow-proxy-plugin.service
env_file=/etc/flow-proxy/flow-proxy.env
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "upgrade: $*"; }
die() { echo "upgrade: $*" >&2; exit 1; }

given= how=reload keep=3
verify=() seal=()
while [ $# -gt 0 ]; do
  case $1 in
    --restart) how=restart ;;
    --client-key-file | --path) verify+=("$1" "${2:?$1 needs a value}"); shift ;;
    --age | --passphrase-file) seal+=("$1" "${2:?$1 needs a value}"); shift ;;
    --keep) keep=${2:?--keep needs a number}; shift ;;
    --help | -h) usage; exit 0 ;;
    -*) usage >&2; exit 64 ;;
    *) [ -z "$given" ] || { usage >&2; exit 64; }; given=$1 ;;
  esac
  shift
done
[ "$(id -u)" = 0 ] || die "only root may do this: sudo $0"
previous=$(readlink -f "$prefix/current") && [ -d "$previous" ] || die "nothing is installed in $prefix: ops/install.sh"

# unpack PACKAGE: prints the folder with package.json.
unpack() {
  mkdir "$work/package"
  tar --extract --gzip --no-same-owner --file "$1" --directory "$work/package"
  local found
  found=$(find "$work/package" -maxdepth 2 -name package.json -print -quit)
  [ -n "$found" ] || die "$1 is no package of flow-proxy: there is no package.json in it"
  dirname "$found"
}

# Prints the folder of the new version, built.
fetch() {
  case $1 in
    *.git | *.git#* | git@* | git://* | ssh://*)
      local branch=()
      case $1 in *'#'*) branch=(--branch "${1#*#}") ;; esac
      git clone --quiet --depth 1 "${branch[@]}" "${1%%#*}" "$work/checkout" >&2
      # Builds it, too: see ops/prepare.mjs.
      (cd "$work/checkout" && npm ci --no-audit --no-fund >&2)
      echo "$work/checkout" ;;
    https://* | http://*)
      curl --fail --silent --show-error --location --output "$work/package.tgz" "$1"
      unpack "$work/package.tgz" ;;
    *.tgz | *.tar.gz) unpack "$1" ;;
    *) echo "$1" ;;
  esac
}

# The request that will verify the new version has to succeed with the old one, or it would prove nothing.
if systemctl is-active --quiet $unit; then
  node -- "$previous/dist/src/cli/main.js" status --json --env-file $env_file >"$work/status"
  node "$previous/dist/ops/verify-request.js" --status "$work/status" --within 5 "${verify[@]}" ||
    die "the running version does not answer the request above, so it cannot verify a new one (--client-key-file, --path)"
fi
say "configuration saved: $(node -- "$previous/dist/src/cli/main.js" backup --env-file $env_file "${seal[@]}" 2>/dev/null)"
source=$(fetch "${given:-$(dirname "$here")}")
release=$("$here/install-release.sh" "$source" "$prefix")
if [ "$release" = "$previous" ]; then
  say "this version is installed already: $release"
  exit 0
fi
say "installed beside the running version: $release"
# Where systemd hands the secrets over, only the service itself can read them.
if ! systemctl cat $unit | grep -q '^LoadCredential'; then
  runuser -u flow-proxy -- node -- "$release/dist/src/cli/main.js" check --env-file $env_file >"$work/check" 2>&1 || {
    cat "$work/check" >&2
    rm -rf "$release"
    die "the new version refuses the configuration; nothing was changed"
  }
fi

pid=$(systemctl show --property MainPID --value $unit)
if "$here/activate-release.sh" "$release" $how "${verify[@]}"; then
  ln -sfn "releases/$(basename "$previous")" "$prefix/previous"
  # Units and the logrotate file, where they were not edited.
  "$release/ops/install.sh" --no-start
  find "$prefix/releases" -mindepth 1 -maxdepth 1 -type d ! -path "$release" ! -path "$previous" -printf '%T@ %p\n' |
    sort -rn | tail -n "+$keep" | cut -d ' ' -f 2- | xargs -r rm -rf
  say "done: $(node -- "$release/dist/src/cli/main.js" --version) serves; back with: ops/rollback.sh"
  [ "$pid" != "$(systemctl show --property MainPID --value $unit)" ] ||
    say "the primary process itself stays the old one until: systemctl restart flow-proxy-plugin"
else
  say "the new version does not work; going back to $previous" >&2
  if "$here/activate-release.sh" "$previous" $how "${verify[@]}"; then
    rm -rf "$release"
    die "rolled back, the old version serves again; what happened: journalctl -u flow-proxy-plugin -n 50"
  fi
  die "the old version does not answer either; the new one is still in $release"
fi
