#!/bin/bash
# A folder that Kubernetes mounts is empty to swift-configuration's DirectoryFilesProvider.
#
# The kubelet makes a Secret or a ConfigMap a folder of links: password leads to ..data/password, and ..data to the folder of
# the present version. DirectoryFilesProvider keeps regular files alone, so it has no key at all, and says nothing; its guide
# names secrets of orchestrators as its purpose. A program starts without the secrets that are there.
#
# Seen with swift-configuration 1.4.0, Swift 6.3:
#   a plain folder: secret
#   the same folder as Kubernetes mounts it: nil
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib-swift-configuration.sh"
program '
let provider = try await DirectoryFilesProvider(directoryPath: FilePath(CommandLine.arguments[1]))
print(ConfigReader(provider: provider).string(forKey: "password") ?? "nil")
'
mkdir -p "$work/plain" "$work/mount/..2026_01_02"
echo secret | tee "$work/plain/password" >"$work/mount/..2026_01_02/password"
ln -s ..2026_01_02 "$work/mount/..data"
ln -s ..data/password "$work/mount/password"
expect "a plain folder" "$("$probe" "$work/plain")" "secret"
expect "the same folder as Kubernetes mounts it" "$("$probe" "$work/mount")" "nil"
