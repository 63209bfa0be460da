#!/usr/bin/env bash
# Builds the image and tries it as it is meant to run: read-only root, no capability, no network, a user who is not root.
#
#   deploy/try-image.sh                      with podman; ENGINE=docker for Docker
#   BASE=local deploy/try-image.sh           where no registry is reached: on a base made of Debian's packages (mmdebstrap)
#
# BUILD_FLAGS and RUN_FLAGS are handed to the engine as they are. Each line says what was found; the first that is wrong
# ends the trial. docs/operations/image.md tells more.
set -euo pipefail
cd "$(dirname "$0")/.."

engine=${ENGINE:-podman}
base=${BASE:-}
container=cytopenia-cds-trial
image=cytopenia-cds:$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
read -ra run_flags <<<"${RUN_FLAGS:-}"

make_local_base() {
  base=localhost/debian-python:bookworm
  mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates bookworm - | "$engine" import --quiet - "$base" >/dev/null
  echo "ok: a base of Debian's packages"
}
inside() { "$engine" exec --interactive "$container" "$@"; }
found() { echo "ok: $1"; }
wrong() { echo "WRONG: $1" >&2; "$engine" logs "$container" >&2 || true; exit 1; }
clean_up() { "$engine" rm --force "$container" >/dev/null 2>&1 || true; }
healthy() { inside python3 -I -m cds_service.healthcheck http://127.0.0.1:8000/readyz >/dev/null 2>&1; }

[ "$base" != local ] || make_local_base
make --silent image ENGINE="$engine" BASE="$base" IMAGE_FLAGS="${BUILD_FLAGS:-}" >/dev/null
found "built, $("$engine" image inspect --format '{{.Size}}' "$image" | awk '{printf "%.0f MB", $1 / 1e6}')"

clean_up
trap clean_up EXIT
begun=$(date +%s%N)
"$engine" run --detach --name "$container" --network none --read-only --tmpfs /tmp --cap-drop ALL \
  --security-opt no-new-privileges --memory 512m --pids-limit 600 "${run_flags[@]}" \
  --env CDS_AUTH=off --env CDS_PSEUDONYM_KEY=only-for-this-trial "$image" >/dev/null
for _ in $(seq 300); do ! healthy || break; sleep 0.1; done
healthy || wrong "not ready"
found "ready $((($(date +%s%N) - begun) / 1000000)) ms after the engine was told to start it"

python=$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)
"$python" -m fhir_fixtures.request bicytopenia | inside python3 -I -c '
import http.client, json, sys
connection = http.client.HTTPConnection("127.0.0.1", 8000)
connection.request("POST", "/cds-services/cytopenia-review", sys.stdin.read(), {"Content-Type": "application/json"})
answer = connection.getresponse()
cards = json.load(answer)["cards"]
sys.exit(answer.status != 200 or [card["indicator"] for card in cards] != ["warning"])' || wrong "no card"
found "a chart with two low counts gets its card"

[ "$(inside id -u)" = 10001 ] || wrong "runs as $(inside id)"
for place in / /etc /opt/cytopenia-cds /usr/local; do ! inside touch "$place/written" 2>/dev/null || wrong "$place can be written"; done
inside touch written /tmp/written || wrong "the data directory or /tmp can't be written"
found "user 10001; only its data directory and /tmp can be written"
for tool in pip pip3 gcc cc make curl wget git; do ! inside sh -c "command -v $tool" >/dev/null || wrong "$tool is inside"; done
! inside python3 -c 'import pip' 2>/dev/null || wrong "pip is inside"
[ -z "$(inside sh -c 'find / -xdev -perm /6000 -type f 2>/dev/null')" ] || wrong "set-user-id programs are inside"
inside python3 -c 'import cds_service.app as app; raise SystemExit(not __import__("os").path.exists(app.__cached__))' || wrong "not compiled"
inside python3 -c 'import cds_service.tracing, psycopg' || wrong "traces or PostgreSQL can't be had"
inside ls /usr/share/doc/cytopenia-cds/NOTICE >/dev/null || wrong "NOTICE is missing"
found "no pip, no compiler, no set-user-id program; compiled; NOTICE inside"

"$engine" stop --time 30 "$container" >/dev/null
[ "$("$engine" inspect --format '{{.State.ExitCode}}' "$container")" = 0 ] || wrong "SIGTERM did not end it in order"
found "SIGTERM ends it in order"
