// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// The name of the machine, the default source of records.
enum HostName {
    /// The host's name, cut to the longest source that is allowed; `unknown` if the system does not know it.
    static var current: String {
        var name = [CChar](repeating: 0, count: 257)
        // Keep the last byte zero: a name that `gethostname` cuts need not end with one (POSIX).
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let text = String(decoding: bytes, as: UTF8.self).prefix(utf8Bytes: 128)
        return text.isEmpty ? "unknown" : text
    }
}

extension ProcessIdentity {
    /// This process.
    package static var current: Self { Self(pid: Int64(getpid()), host: HostName.current) }
}
