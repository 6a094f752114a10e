# shellcheck shell=bash
# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

# The page of the local endpoint in a browser. To be sourced after common.sh and packages.sh.

# It drives the system's Chromium; it brings no browser of its own.
PLAYWRIGHT_VERSION=1.65.2

# prepare_browser: installs what drives a browser, into a folder that is not committed. Sets PYTHON.
prepare_browser() {
    local folder=$ROOT/LocalLogstore/.build/page-venv
    require_packages chromium python3 python3-venv fonts-dejavu-core
    PYTHON=$folder/bin/python
    if ! "$PYTHON" -c 'import playwright' 2>/dev/null; then
        say "installing Playwright $PLAYWRIGHT_VERSION"
        # The system's own Python: others may lack what a virtual environment takes.
        local python=/usr/bin/python3
        [[ -x $python ]] || python=python3
        rm -rf "$folder"
        "$python" -m venv "$folder" || die "cannot make a virtual environment"
        "$PYTHON" -m pip install --quiet --disable-pip-version-check "playwright==$PLAYWRIGHT_VERSION" \
            || die "cannot install Playwright"
    fi
}

# run_page_tests: tests the page, and leaves screenshots. Sets PAGE_TESTS to their number.
run_page_tests() {
    local output chromium
    prepare_browser
    build LocalLogstore debug webtracking --scratch-path "$SHARED"
    chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || die "there is no Chromium"
    output=$(mktemp)
    if ! WEBTRACKING=$BIN/webtracking CHROMIUM=$chromium SCREENSHOTS=$ROOT/LocalLogstore/.build/screenshots \
        "${limited[@]}" "$PYTHON" "$ROOT/LocalLogstore/Tests/Page/page_test.py" >"$output" 2>&1; then
        # What failed, and where; then Playwright's own long account of the last.
        grep -E '^(FAIL|ERROR): |^  File .*page_test|^[A-Za-z.]*Error: ' "$output" >&2 || true
        tail -n 60 "$output" >&2
        rm -f "$output"
        die "page: FAILED"
    fi
    PAGE_TESTS=$(sed -nE 's/^Ran ([0-9]+) tests? in.*/\1/p' "$output")
    grep -E '^live: |^screenshots' "$output" || true
    rm -f "$output"
    ((PAGE_TESTS > 0)) || die "page: no test was run"
}
