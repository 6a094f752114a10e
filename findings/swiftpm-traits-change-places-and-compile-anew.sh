#!/bin/bash
# SwiftPM hands a package's traits to the compiler in an order that changes from plan to plan, and compiles anew for that.
#
# Whenever it plans the same build again (the manifest was touched, another root package uses the same folder, a cache was
# restored), a package with several enabled traits is compiled from the start, with all that depends on it. In a package with
# SwiftNIO under it that is minutes. With SWIFT_DETERMINISTIC_HASHING=1 in swift build's environment the order stays.
#
# Seen with Swift 6.3.1 on Linux (Debian 12): of six plans with five traits, six orders, and each plan after the first compiled
# the one file again; with the variable, of four plans one order, and nothing was compiled after the first.
source "$(dirname "$0")/lib.sh"
swift --version 2>&1 | head -n 1
mkdir -p "$work/package/Sources/Traits"
cd "$work/package"
cat >Package.swift <<'MANIFEST'
// swift-tools-version: 6.2
import PackageDescription

let names = ["One", "Two", "Three", "Four", "Five"]
let package = Package(
    name: "Traits",
    traits: Set(names.map { .trait(name: $0) } + [.default(enabledTraits: Set(names))]),
    targets: [.target(name: "Traits")]
)
MANIFEST
echo 'public let number = 1' >Sources/Traits/Traits.swift

# plans COUNT: plans so often, and prints how many orders there were, and how many plans after the first compiled.
plans() {
    local plan compiled=0 lines
    : >"$work/orders"
    for ((plan = 0; plan < $1; plan++)); do
        echo "// $plan" >>Package.swift
        lines=$(swift build 2>&1 | grep -cE 'Compiling|Emitting' || true)
        ((plan == 0 || lines == 0)) || compiled=$((compiled + 1))
        grep -oE '"-D(One|Two|Three|Four|Five)"' .build/debug.yaml | head -n 5 | tr '\n' ' ' >>"$work/orders"
        echo >>"$work/orders"
    done
    echo "$(sort -u "$work/orders" | wc -l) $compiled"
}

read -r orders compiled <<<"$(plans 6)"
printf 'of 6 plans: %s orders, %s of 5 compiled again\n' "$orders" "$compiled"
expect "the same traits" "$( ((orders > 1 && compiled > 0)) && echo change places and are compiled again || echo stay)" \
    "change places and are compiled again"
export SWIFT_DETERMINISTIC_HASHING=1
expect "orders and compilations with a fixed hash" "$(plans 4)" "1 0"
