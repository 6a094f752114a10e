#!/bin/bash
# swift-configuration's ReloadingFileProvider does not find files whose path has a space, %, # or a letter beyond ASCII.
#
# It resolves links through a URL and takes the path back from that as it is encoded for a URL, so that it looks for
# a%20b. FileProvider, which resolves no links, reads the same files. With allowMissing the provider is empty for ever, and
# says nothing.
#
# Seen with swift-configuration 1.4.0, Swift 6.3:
#   a.json: once value, reloading value, allowing a missing file value
#   a b.json: once value, reloading not found, allowing a missing file nil
#   (and so for 50%20.json, a#b.json, é.json)
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib-swift-configuration.sh"
program '
let path = FilePath(CommandLine.arguments[1])
func value(_ provider: some ConfigProvider) -> String { ConfigReader(provider: provider).string(forKey: "key") ?? "nil" }
let once = value(try await FileProvider<JSONSnapshot>(filePath: path))
var reloading = "not found"
do { reloading = value(try await ReloadingFileProvider<JSONSnapshot>(filePath: path)) } catch {
    if !"\(error)".contains("not found") { reloading = "\(error)" }
}
let missing = value(try await ReloadingFileProvider<JSONSnapshot>(filePath: path, allowMissing: true))
print("once \(once), reloading \(reloading), allowing a missing file \(missing)")
'
for name in a.json "a b.json" 50%20.json a#b.json é.json; do
    echo '{"key": "value"}' >"$work/$name"
    seen="once value, reloading not found, allowing a missing file nil"
    [[ $name != a.json ]] || seen="once value, reloading value, allowing a missing file value"
    expect "$name" "$("$probe" "$work/$name")" "$seen"
done
