#!/bin/bash
# A sleeping task that is cancelled ends at once, but what its Task.sleep took is given back only when its time would have come.
#
# Whoever gives each request a deadline by a task that sleeps, and cancels it when the request is done, holds about 740 bytes
# for each request of the last deadline's length: 1,000 requests a second with deadlines of a minute hold 44 MB. Sleeps of an
# hour that are cancelled every second for thousands of connections grow for an hour.
#
# Seen with Swift 6.3.1 on Linux (Debian 12): of 4 times 25,000 sleeps of an hour that were begun and cancelled, each 25,000
# left 18.2 to 18.6 MB more resident; of as many sleeps of a millisecond that ended by themselves, none after the first did.
source "$(dirname "$0")/lib.sh"
swiftc --version 2>&1 | head -n 1
cat >"$work/sleep.swift" <<'END'
import Glibc

func resident() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    fgets(&line, 128, file)
    return (Int(String(cString: line).split(separator: " ")[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

@main enum Main {
    static func round(_ time: Duration, isCancelled: Bool) async {
        for _ in 0..<5 {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<5_000 { group.addTask { try? await Task.sleep(for: time) } }
                guard isCancelled else { return }
                // All of them sleep by then.
                try? await Task.sleep(for: .milliseconds(300))
                group.cancelAll()
            }
        }
    }

    static func main() async {
        let isCancelled = CommandLine.arguments[1] == "cancelled"
        let time = isCancelled ? Duration.seconds(3_600) : .milliseconds(1)
        await Self.round(time, isCancelled: isCancelled)
        let before = resident()
        for _ in 0..<3 { await Self.round(time, isCancelled: isCancelled) }
        print((resident() - before) / 75_000)
    }
}
END
swiftc -parse-as-library -O "$work/sleep.swift" -o "$work/sleep"
cancelled=$("$work/sleep" cancelled)
ended=$("$work/sleep" ended)
printf 'bytes for each sleep: cancelled %s, ended by itself %s\n' "$cancelled" "$ended"
expect "a cancelled sleep keeps" "$( ((cancelled > 300)) && echo hundreds of bytes || echo little)" "hundreds of bytes"
expect "one that ended keeps" "$( ((ended < 100)) && echo little || echo "$ended bytes")" "little"
