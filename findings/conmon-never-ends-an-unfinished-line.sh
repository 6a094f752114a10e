#!/bin/bash
# conmon marks each write without a line feed as a piece of a line, and leaves the last one open for good.
#
# conmon writes the logs of CRI-O's and Podman's containers. P in its lines does not mean that a line was too long, as with
# containerd: each read that does not end with a line feed becomes a piece, so a program that writes a dot at a time gets a line of
# 47 bytes for each. When a program ends in the middle of a line, as with a last word before a crash, no F follows. What joins
# pieces until F waits for ever for the end of that line; and Podman, which goes on with the file when a container starts again, has
# it get the first line of the next life: text and a JSON line become one line that is no JSON, and its level is gone.
# Known as containers/conmon#252; a mend was taken back.
#
# Seen with conmon 2.1.6 (Debian 12), run twice on one log file with a stand-in for runc:
#   first life: P progress|F , done|P bye
#   both lives: P progress|F , done|P bye|F {"level":"error"}
source "$(dirname "$0")/lib.sh"
debian conmon conmon
# What conmon asks of a runtime: to start the program with the streams that it has, and to say its process.
cat >"$work/runtime" <<'END_OF_RUNTIME'
#!/bin/sh
until [ "$1" = --pid-file ]; do shift; done
sh "${0%/*}/program" &
echo $! >"$2"
END_OF_RUNTIME
chmod +x "$work/runtime"
mkdir "$work/bundle" "$work/exits"
# life PROGRAM: runs it as a container until it has ended, and its log is written.
life() {
    printf '%s\n' "$1" >"$work/program"
    rm -f "$work/exits/shop"
    conmon --cid shop --cuuid shop --runtime "$work/runtime" --bundle "$work/bundle" --container-pidfile "$work/pid" \
        --log-path "k8s-file:$work/log" --exit-dir "$work/exits" --socket-dir-path "$work" --sync >"$work/errors" 2>&1
    for _ in {1..100}; do
        [[ ! -e $work/exits/shop ]] || return 0
        sleep 0.1
    done
    cat "$work/errors" >&2
    return 1
}
# The log without times and streams, in one line.
lines() { cut -d ' ' -f 3- "$work/log" | paste -s -d '|'; }
# The second part is written when conmon has read the first.
life "printf progress; until grep -q progress '$work/log'; do sleep 0.1; done; printf ', done\nbye'"
expect "first life" "$(lines)" "P progress|F , done|P bye"
life "echo '{\"level\":\"error\"}'"
expect "both lives" "$(lines)" 'P progress|F , done|P bye|F {"level":"error"}'
