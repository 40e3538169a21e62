#!/bin/sh
# Tells a chat what is new since the last run, in one message; says nothing where nothing is.
# webhook.sh STORE URL PATH...: the URL takes {"text": "..."}, as those of Slack and Mattermost do.
set -eu
store=$1 url=$2
shift 2
status=0
report=$(migsift scan --store "$store" --new-only -f json -- "$@") || status=$?
# Up to 3 there is a report, of all or of a part.
[ "$status" -le 3 ] && [ -n "$report" ] || exit "$status"
message=$(printf '%s' "$report" | jq -c 'select(.totals.findings > 0) | {text: (
  ["New failures in migration logs: \(.totals.failures)"]
  + [.codes[] | "- \(.id) \(.title): \(.failures)"]
  + [select(.complete | not) | "Not everything could be read."] | join("\n"))}')
[ -z "$message" ] || printf '%s' "$message" | curl -fsS -H 'Content-Type: application/json' --data-binary @- "$url"
