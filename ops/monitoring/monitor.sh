#!/usr/bin/env bash
# Looks at flow-proxy's log and tells of trouble: by its exit code, in one line, by mail, by webhook. Silent when all
# is well. For cron and Nagios; where Prometheus runs, take alerts.yaml instead. Reads the present log and what has been
# rotated away from it, compressed or not; needs awk, find and gzip.
set -uo pipefail

usage() {
  cat <<'TEXT'
Usage: monitor.sh [options] LOG_FILE

Looks at what was logged in the last hour. LOG_FILE is the path in FLOW_PROXY_LOG_FILE, or
FLOW_PROXY_LOG_DIR/app.log where flow-proxy rolls its files itself.

  --since MINUTES       how far back to look (60)
  --errors N            more lines of level ERROR than this are too many (100)
  --error-rate PERCENT  and so is a higher share of failed requests; needs log level INFO (off)
  --failed N            more credentials marked as failed than this are too many (1)
  --size MB             largest total of all log files (1000)
  --mail ADDRESS        also send a mail
  --webhook URL         also POST {"text": "..."} there
  --nagios              print a line when all is well, too
  --help                this

Exit code: 0 all is well, 1 warning, 2 critical (errors), 3 the log cannot be read; 64 wrong usage.
TEXT
}

wrong() {
  echo "monitor.sh: $1; see monitor.sh --help" >&2
  exit 64
}

since=60 max_errors=100 max_rate='' max_failed=1 max_size=1000 mail_to='' webhook='' nagios=false log=''

number() {
  [[ $2 =~ ^[0-9]+(\.[0-9]+)?$ ]] || wrong "$1 \"$2\" is no number"
}

while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit 0 ;;
    --nagios) nagios=true; shift; continue ;;
    --since | --errors | --error-rate | --failed | --size | --mail | --webhook) ;;
    -*) wrong "there is no option $1" ;;
    *) [ -z "$log" ] || wrong "one log file only, not also \"$1\""; log=$1; shift; continue ;;
  esac
  [ $# -gt 1 ] || wrong "$1 needs a value"
  case $1 in
    --mail) mail_to=$2 ;;
    --webhook) webhook=$2 ;;
    *)
      number "$1" "$2"
      case $1 in
        --since) since=${2%.*} ;;
        --errors) max_errors=$2 ;;
        --error-rate) max_rate=$2 ;;
        --failed) max_failed=$2 ;;
        --size) max_size=$2 ;;
      esac
      ;;
  esac
  shift 2
done
[ -n "$log" ] || wrong 'which log file?'

# Tells once, everywhere: $1 is the exit code, $2 the word for it, $3 what there is to say.
finish() {
  local code=$1 line="flow-proxy $2: $3"
  echo "$line"
  if [ -n "$mail_to" ]; then
    printf '%s\nHost: %s\nLog: %s\n' "$3" "$(hostname)" "$log" | mail -s "flow-proxy: $2" "$mail_to" ||
      echo "monitor.sh: the mail to $mail_to could not be sent" >&2
  fi
  if [ -n "$webhook" ]; then
    local text
    text=$(printf '%s (%s)' "$line" "$(hostname)" | tr -d '[:cntrl:]' | sed 's/[\\"]/\\&/g')
    curl --silent --show-error --fail --max-time 20 --output /dev/null -H 'Content-Type: application/json' \
      --data-binary "{\"text\": \"$text\"}" "$webhook" ||
      echo 'monitor.sh: the webhook could not be called' >&2
  fi
  exit "$code"
}

# app.log is also app.log.1, app.log-20261124.gz (logrotate), app.2026-11-24.1.log and the like (flow-proxy itself).
folder=$(dirname -- "$log")
name=$(basename -- "$log")
stem=${name%.*}
extension=${name#"$stem"}
list() {
  find "$folder/" -maxdepth 1 -type f \
    \( -name "$name" -o -name "$name[.-]*" -o -name "$stem.[0-9]*$extension" -o -name "$stem.[0-9]*$extension.gz" \) "$@"
}
[ -d "$folder" ] && [ -r "$folder" ] && [ -x "$folder" ] || finish 3 UNKNOWN "the folder $folder cannot be read"
[ -n "$(list -print -quit)" ] || finish 3 UNKNOWN "there is no log at $log"
unreadable=$(list ! -readable -print -quit)
[ -z "$unreadable" ] || finish 3 UNKNOWN "$unreadable cannot be read"

from=$(date -u -d "-$since minutes" +%Y-%m-%dT%H:%M:%S) || finish 3 UNKNOWN 'date -d (GNU) is missing'
# Of files that were not written to since, no line can count.
counts=$(list -mmin "-$((since + 1))" -print0 | xargs -0 -r gzip -cdfq 2>/dev/null | awk -v from="$from" '
  match($0, /"time":"[^"]*"/) && substr($0, RSTART + 8, 19) >= from {
    if (index($0, "\"level\":\"ERROR\"")) errors++
    # The message comes before anything that a client chose.
    if (match($0, /"msg":"Configuration [^"]* marked as failed/)) failed++
    if (match($0, /"outcome":"[a-z_]*"/)) {
      outcome = substr($0, RSTART + 11, RLENGTH - 12)
      if (outcome != "client_left") exchanges++
      if (outcome == "failed") failures++
    }
  }
  END { printf "%d %d %d %d\n", errors, failed, exchanges, failures }
')
read -r errors failed exchanges failures <<<"$counts"
size=$(list -printf '%s\n' | awk '{ sum += $1 } END { printf "%d", sum / 1048576 }')

above() {
  awk -v value="$1" -v limit="$2" 'BEGIN { exit !(value > limit) }'
}

problems='' code=0
problem() {
  problems="${problems:+$problems; }$2"
  [ "$code" -ge "$1" ] || code=$1
}
if above "$errors" "$max_errors"; then problem 2 "$errors errors in $since minutes (limit $max_errors)"; fi
if [ -n "$max_rate" ] && [ "$exchanges" -gt 0 ]; then
  rate=$(awk -v some="$failures" -v all="$exchanges" 'BEGIN { printf "%.1f", some * 100 / all }')
  if above "$rate" "$max_rate"; then
    problem 2 "$rate % of $exchanges requests failed in $since minutes (limit $max_rate %)"
  fi
fi
if above "$failed" "$max_failed"; then
  problem 1 "credentials were marked as failed $failed times in $since minutes (limit $max_failed)"
fi
if above "$size" "$max_size"; then problem 1 "the log files take $size MB (limit $max_size MB)"; fi

case $code in
  0) if "$nagios"; then echo "flow-proxy OK: $errors errors, $failed failed credentials, $size MB of log"; fi ;;
  1) finish 1 WARNING "$problems" ;;
  2) finish 2 CRITICAL "$problems" ;;
esac
exit "$code"
