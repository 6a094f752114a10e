// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The mounts of a process on Linux, as `/proc/self/mountinfo` lists them (man 5 proc_pid_mountinfo).
struct MountTable {
    private struct Mount {
        var id: Substring
        /// The mount that it was mounted on.
        var parent: Substring
        /// What of the file system is mounted.
        var root: String
        var point: String
        var type: String
        var options: [Substring]
    }

    private var mounts: [Mount] = []

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            // A source may be empty.
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            // The optional fields end with a hyphen.
            guard fields.count > 6, let end = fields.dropFirst(6).firstIndex(of: "-"), fields.count > end + 3 else {
                continue
            }
            self.mounts.append(
                Mount(
                    id: fields[0],
                    parent: fields[1],
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
        // As the system walks: from a mount to the first one on the way that was mounted on it. So one on a directory above
        // hides what was mounted below it before.
        let ids = Set(self.mounts.map(\.id))
        var found: Mount?
        var next = self.mounts.filter { $0.id == $0.parent || !ids.contains($0.parent) }
        for _ in self.mounts {
            let ways = next.filter { Self.isInside(path, $0.point) }
            guard let mount = ways.min(by: { $0.point.utf8.count < $1.point.utf8.count }) else { break }
            found = mount
            next = self.mounts.filter { $0.parent == mount.id && $0.id != mount.id }
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
            let mounts = self.mounts.filter { mount in
                isVersion2 ? mount.type == "cgroup2" : mount.type == "cgroup" && mount.options.contains("memory")
            }
            let group = String(fields[2])
            // A container may have the host's mounted, too.
            guard let mount = mounts.last(where: { Self.isInside(group, $0.root) }) ?? mounts.last else { return [] }
            let name = isVersion2 ? "memory.max" : "memory.limit_in_bytes"
            return Self.parents(of: group, below: mount.root).map { "\(mount.point)\($0)/\(name)" }
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
