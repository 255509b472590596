#!/usr/bin/env bash
# Installs flow-proxy as a systemd service on this machine; again and again if you like: what you edited stays.
usage() {
  cat <<'TEXT'
Usage: sudo ops/install.sh [options]           from a checkout after `npm install`, or from an unpacked package

  --secrets FILE   copy this file to /etc/flow-proxy/secrets.json, unless there is one
  --socket         let systemd hold the listening socket: a full restart then refuses no connection
  --tune           also raise kernel and file limits (ops/sysctl, ops/limits)
  --no-start       put everything in place, start nothing
  --uninstall      take it away; /etc/flow-proxy, logs, backups and the user stay
  --purge          with --uninstall: those too, except backups
  --help           show this text
TEXT
}
set -euo pipefail
umask 022

here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
source=$(dirname "$here")
prefix=/opt/flow-proxy-plugin
unit=flow-proxy-plugin.service
config=/etc/flow-proxy
# The files as they were installed, to know the edited ones by.
pristine=$prefix/.installed

say() { echo "install: $*"; }
die() { echo "install: $*" >&2; exit 1; }
is_booted() { [ -d /run/systemd/system ]; }

secrets= with_socket= with_tuning= no_start= is_uninstall= is_purge=
while [ $# -gt 0 ]; do
  case $1 in
    --secrets) secrets=${2:?--secrets needs a file}; shift ;;
    --socket) with_socket=yes ;;
    --tune) with_tuning=yes ;;
    --no-start) no_start=yes ;;
    --uninstall) is_uninstall=yes ;;
    --purge) is_purge=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
  esac
  shift
done
[ "$(id -u)" = 0 ] || die "only root may do this: sudo $0"

# place SOURCE TARGET: installs a file of ours, unless the one in place was edited.
place() {
  local shipped=$1 target=$2 kept=$pristine$2
  if [ -e "$target" ] && ! cmp -s "$shipped" "$target" && ! cmp -s "$kept" "$target"; then
    say "kept $target, which was edited; the shipped one is $prefix/current/${shipped#"$source"/}"
    return
  fi
  cmp -s "$shipped" "$target" || say "wrote $target"
  install -D -m 0644 "$shipped" "$target"
  install -D -m 0644 "$shipped" "$kept"
}

make_user() {
  place "$source/systemd/flow-proxy.sysusers.conf" /etc/sysusers.d/flow-proxy.conf
  place "$source/systemd/flow-proxy.tmpfiles.conf" /etc/tmpfiles.d/flow-proxy.conf
  getent passwd flow-proxy >/dev/null || systemd-sysusers /etc/sysusers.d/flow-proxy.conf
  systemd-tmpfiles --create /etc/tmpfiles.d/flow-proxy.conf
  # systemd makes it with the unit; logrotate may come before.
  install -d -m 0750 -o flow-proxy -g flow-proxy /var/log/flow-proxy
}

# The unit finds node by systemd's own search path; another place is told by a drop-in.
find_node() {
  local node major
  node=$(command -v node) || die "there is no node here; flow-proxy needs Node 20.19 or newer"
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || die "$node is version $(node --version); flow-proxy needs 20.19 or newer"
  case $(realpath "$node") in
    /home/* | /root/*) die "$node is below a home folder, which the service cannot see; install Node for all users" ;;
  esac
  case $node in /usr/local/sbin/node | /usr/local/bin/node | /usr/sbin/node | /usr/bin/node) return ;; esac
  local dropin
  dropin=$(mktemp)
  printf '# Where node is on this machine.\n[Service]\nEnvironment=PATH=%s:/usr/local/bin:/usr/bin:/bin\n' "$(dirname "$node")" >"$dropin"
  place "$dropin" "/etc/systemd/system/$unit.d/10-node.conf"
  rm -f "$dropin"
}

install_code() {
  local release=$source
  # An installed release may install itself, as upgrade.sh has it do.
  case $source in
    "$prefix"/releases/*) ;;
    *) release=$("$here/install-release.sh" "$source" "$prefix") ;;
  esac
  if [ "$(readlink -f "$prefix/current" || true)" != "$release" ]; then
    ln -sfn "releases/$(basename "$release")" "$prefix/.current"
    mv -T "$prefix/.current" "$prefix/current"
    say "installed $release"
  fi
  ln -sfn "$prefix/current/dist/src/cli/main.js" /usr/local/bin/flow-proxy
}

install_configuration() {
  if [ ! -e $config/flow-proxy.env ]; then
    install -m 0640 -g flow-proxy "$source/systemd/flow-proxy.env" $config/flow-proxy.env
    say "wrote $config/flow-proxy.env"
  fi
  if [ -n "$secrets" ] && [ ! -e $config/secrets.json ]; then
    install -m 0600 -o flow-proxy -g flow-proxy "$secrets" $config/secrets.json
    say "copied $secrets to $config/secrets.json"
  fi
}

has_secrets() {
  [ -e $config/secrets.json ] || ! grep -q "^FLOW_PROXY_SECRETS_FILE=$config/secrets.json" $config/flow-proxy.env
}

# The Python predecessor has a unit of the same name and holds the same port. It makes way when we can take over.
replace_predecessor() {
  local there=/etc/systemd/system/$unit
  if [ ! -f $there ] || grep -q 'dist/src/cli/main.js' $there || [ -n "$no_start" ] || ! has_secrets; then return; fi
  if is_booted; then systemctl disable --quiet --now $unit; fi
  install -d -m 0750 $config/removed
  mv $there "$config/removed/predecessor.service"
  say "stopped the service that was $there; its unit is $config/removed/predecessor.service now"
}

install_units() {
  place "$source/systemd/flow-proxy.service" /etc/systemd/system/$unit
  if [ -n "$with_socket" ] || [ -e /etc/systemd/system/flow-proxy.socket ]; then
    place "$source/systemd/flow-proxy.socket" /etc/systemd/system/flow-proxy.socket
  fi
  [ ! -f "$source/logrotate/flow-proxy" ] || place "$source/logrotate/flow-proxy" /etc/logrotate.d/flow-proxy
  # `enable` makes the second name, flow-proxy.service, too.
  if is_booted; then systemctl daemon-reload; fi
  systemctl enable --quiet $unit
  [ -z "$with_socket" ] || systemctl enable --quiet flow-proxy.socket
}

tune() {
  place "$source/ops/sysctl/90-flow-proxy.conf" /etc/sysctl.d/90-flow-proxy.conf
  place "$source/ops/limits/flow-proxy.conf" /etc/security/limits.d/flow-proxy.conf
  /lib/systemd/systemd-sysctl /etc/sysctl.d/90-flow-proxy.conf || say "some kernel settings were refused, see above"
}

start_service() {
  if ! is_booted || [ -n "$no_start" ]; then return; fi
  if ! has_secrets; then
    say "next: put your credentials into $config/secrets.json (form: $prefix/current/secrets.json.template), then"
    say "  chown flow-proxy:flow-proxy $config/secrets.json && chmod 600 $config/secrets.json"
    say "  systemctl start flow-proxy-plugin"
    return
  fi
  if [ -n "$with_socket" ] && ! systemctl is-active --quiet flow-proxy.socket; then
    # The service holds the address itself so far: this one change of hands is not seamless.
    systemctl stop $unit
    systemctl start flow-proxy.socket
  fi
  if systemctl is-active --quiet $unit; then
    systemctl reload $unit
    say "reloaded; changes of the unit itself take effect with: systemctl restart flow-proxy-plugin"
  else
    systemctl start $unit
    say "started: systemctl status flow-proxy-plugin"
  fi
}

remove_user() {
  getent passwd flow-proxy >/dev/null || return 0
  # What a login as this user has left behind.
  ! is_booted || systemctl stop "user-$(id -u flow-proxy).slice" 2>/dev/null || true
  userdel flow-proxy
  ! getent group flow-proxy >/dev/null || groupdel flow-proxy
}

uninstall() {
  if is_booted; then
    # The socket first: a client that comes in meanwhile would have it start the service again.
    for name in flow-proxy.socket $unit; do systemctl disable --quiet --now $name 2>/dev/null || true; done
  fi
  local kept target
  while read -r kept; do
    target=${kept#"$pristine"}
    [ -e "$target" ] || continue
    if cmp -s "$kept" "$target"; then
      rm -f "$target"
    else
      install -d -m 0750 "$config/removed"
      mv "$target" "$config/removed/$(basename "$target")"
      say "$target was edited; it is $config/removed/$(basename "$target") now"
    fi
  done < <(find "$pristine" -type f 2>/dev/null)
  rmdir "/etc/systemd/system/$unit.d" 2>/dev/null || true
  rm -f /etc/systemd/system/flow-proxy.service /usr/local/bin/flow-proxy
  # What else may be there, such as the predecessor's, is not ours.
  rm -rf "$prefix/releases" "$prefix/current" "$prefix/previous" "$pristine"
  rmdir "$prefix" 2>/dev/null || true
  if is_booted; then
    systemctl daemon-reload
    systemctl reset-failed $unit 2>/dev/null || true
  fi
  if [ -n "$is_purge" ]; then
    rm -rf $config /var/log/flow-proxy
    remove_user
  else
    say "left: $config, /var/log/flow-proxy, the user flow-proxy (take them too: --uninstall --purge)"
  fi
  say "uninstalled; kernel settings of --tune last until the next boot"
}

if [ -n "$is_uninstall" ]; then
  uninstall
  exit 0
fi
find_node
make_user
install_code
install_configuration
replace_predecessor
install_units
[ -z "$with_tuning" ] || tune
start_service
