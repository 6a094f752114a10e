# shellcheck shell=bash
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

# The local endpoint and the example service that logs to it. To be sourced after common.sh and packages.sh.

PROJECT=demo
LOGSTORE=orders
WORK=
ENDPOINT_PID=
SERVICE_PID=

# prepare CONFIGURATION: installs and builds both, and makes a folder for what they leave.
prepare() {
    command -v swift >/dev/null || die "there is no swift; see https://www.swift.org/install"
    require_packages liblz4-dev zlib1g-dev libzstd-dev libsqlite3-dev pkg-config curl
    # From one package, which builds the library once for both.
    build Examples/DemoPair "$1" webtracking --scratch-path "$SHARED"
    WEBTRACKING=$BIN/webtracking
    build Examples/DemoPair "$1" order-service --scratch-path "$SHARED"
    ORDER_SERVICE=$BIN/order-service
    WORK=$(mktemp -d)
    DATABASE=$WORK/logs.sqlite
    trap clean_up EXIT
    trap 'exit 130' INT TERM
}

# start_endpoint [PORT [ARGUMENT…]]: starts the endpoint, on any free port if none is given; sets ENDPOINT and
# ENDPOINT_PID.
start_endpoint() {
    rm -f "$WORK/endpoint.port"
    "$WEBTRACKING" serve --host 127.0.0.1 --port "${1:-0}" --port-file "$WORK/endpoint.port" --database "$DATABASE" \
        --project "$PROJECT" --logstore "$LOGSTORE" "${@:2}" >"$WORK/endpoint.log" 2>&1 &
    ENDPOINT_PID=$!
    await_port "$ENDPOINT_PID" endpoint
    ENDPOINT=http://127.0.0.1:$PORT
    say "the endpoint listens on $ENDPOINT"
}

# Starts the service on any free port; sets SERVICE and SERVICE_PID.
start_service() {
    rm -f "$WORK/service.port"
    WEBTRACKING_ENDPOINT=$ENDPOINT WEBTRACKING_PROJECT=$PROJECT WEBTRACKING_LOGSTORE=$LOGSTORE \
        "$ORDER_SERVICE" --host 127.0.0.1 --port 0 --port-file "$WORK/service.port" >"$WORK/service.log" 2>&1 &
    SERVICE_PID=$!
    await_port "$SERVICE_PID" service
    SERVICE=http://127.0.0.1:$PORT
    say "the order service listens on $SERVICE"
}

# stop_service: sends SIGTERM and waits for the end. Sets what the service said of itself: HANDLED, ACCEPTED, DELIVERED
# and DROPPED.
stop_service() {
    local status=0 summary
    say "stopping the service with SIGTERM"
    stop "$SERVICE_PID" || status=$?
    SERVICE_PID=
    ((status == 0)) || fail "the service ended with status $status"
    summary=$(grep 'requests handled' "$WORK/service.log") || fail "the service did not tell what it did"
    printf '  %s\n' "$summary"
    # shellcheck disable=SC2034 # used by those who source this
    read -r HANDLED ACCEPTED DELIVERED DROPPED < <(tr -c '0-9\n' ' ' <<<"$summary")
}

# query ARGUMENT…: asks the endpoint's database.
query() {
    "$WEBTRACKING" query --database "$DATABASE" "$@"
}

# fail TEXT…: gives up, with what the two said last.
fail() {
    tail -n 20 "$WORK/endpoint.log" "$WORK/service.log" >&2 2>/dev/null || true
    die "$@"
}

# await_port PID NAME: waits until the process has written its port; sets PORT.
await_port() {
    local pid=$1 file=$WORK/$2.port
    for _ in {1..300}; do
        if [[ -s $file ]]; then
            PORT=$(<"$file")
            return
        fi
        kill -0 "$pid" 2>/dev/null || fail "the $2 does not start"
        sleep 0.1
    done
    fail "the $2 does not say where it listens"
}

# stop PID: ends a process of ours, and returns its status.
stop() {
    kill -TERM "$1" 2>/dev/null || true
    for _ in {1..600}; do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null && say "process $1 had to be killed"
    wait "$1"
}

clean_up() {
    local pid
    for pid in $SERVICE_PID $ENDPOINT_PID; do stop "$pid" || true; done
    [[ -z $WORK ]] || rm -rf "$WORK"
}
