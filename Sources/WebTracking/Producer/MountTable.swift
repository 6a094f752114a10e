// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The mounts of a process on Linux, as `/proc/self/mountinfo` lists them (man 5 proc_pid_mountinfo).
struct MountTable {
    private struct Mount {
        /// What of the file system is mounted.
        var root: String
        var point: String
        var type: String
        var options: [Substring]
    }

    private var mounts: [Mount] = []

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            // The optional fields end with a hyphen.
            guard fields.count > 6, let end = fields.dropFirst(6).firstIndex(of: "-"), fields.count > end + 3 else {
                continue
            }
            self.mounts.append(
                Mount(
                    root: Self.unescaped(fields[3]),
                    point: Self.unescaped(fields[4]),
                    type: String(fields[end + 1]),
                    options: fields[end + 3].split(separator: ",")
                )
            )
        }
    }

    /// The kind of file system that a path from the root, without links, is on; `nil` if that is not known.
    func fileSystem(of path: String) -> String? {
        var found: Mount?
        for mount in self.mounts where Self.isInside(path, mount.point) {
            // Of two at one place the later one hides the other.
            if mount.point.utf8.count >= found?.point.utf8.count ?? 0 { found = mount }
        }
        return found?.type
    }

    /// The files that may hold a limit on the memory of a process with this `/proc/self/cgroup` (man 7 cgroups): of its own
    /// control group, and of those around it.
    func memoryLimitFiles(cgroup: String) -> [String] {
        cgroup.split(separator: "\n").flatMap { line -> [String] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let isVersion2 = fields[0] == "0" && fields[1].isEmpty
            guard isVersion2 || fields[1].split(separator: ",").contains("memory") else { return [] }
            let mount = self.mounts.last { mount in
                isVersion2 ? mount.type == "cgroup2" : mount.type == "cgroup" && mount.options.contains("memory")
            }
            guard let mount else { return [] }
            let name = isVersion2 ? "memory.max" : "memory.limit_in_bytes"
            return Self.parents(of: String(fields[2]), below: mount.root).map { "\(mount.point)\($0)/\(name)" }
        }
    }

    /// A control group and those around it, as paths from the mount of `root`: `/a/b`, `/a`, and the empty one.
    private static func parents(of group: String, below root: String) -> [String] {
        // In a container only a part may be mounted, which need not be the process's own: then what there is counts.
        guard self.isInside(group, root) else { return [""] }
        var rest = root == "/" ? group[...] : group.dropFirst(root.count)
        var paths: [String] = []
        while let slash = rest.lastIndex(of: "/") {
            if slash < rest.index(before: rest.endIndex) { paths.append(String(rest)) }
            rest = rest[..<slash]
        }
        return paths + [""]
    }

    private static func isInside(_ path: String, _ directory: String) -> Bool {
        directory == "/" || path == directory || path.hasPrefix("\(directory)/")
    }

    /// Space, tab, line feed and backslash are written as octal numbers.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, let code = UInt8(String(Substring(digits)), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
