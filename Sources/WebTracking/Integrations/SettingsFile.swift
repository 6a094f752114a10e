// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

public import Configuration

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A JSON file with settings, of which every key is looked at: one that is misspelt, or has a value of another shape, is an
/// error, where a reader of swift-configuration says nothing.
///
/// Links are followed, and the path may have any characters. A folder in place of a file, such as a Secret or a ConfigMap
/// that Kubernetes mounts, has a file for each key: `signing.accessKeySecret`, for example.
///
/// ```swift
/// let file = WebTrackingSettingsFile(
///     "/etc/shop/logging.json", scope: "webtracking",
///     overrides: ConfigReader(provider: EnvironmentVariablesProvider()).scoped(to: "webtracking"))
/// let producer = try WebTrackingProducer(configuration: WebTrackingConfiguration(file: file))
/// try await producer.follow(file: file)
/// ```
public struct WebTrackingSettingsFile: Sendable, ExpressibleByStringLiteral {
    /// The path of a JSON file, of at most 1 MiB, or of a folder with a file for each key.
    public var path: String
    /// The object of the file in which the settings are, with dots for objects in objects; the whole file if `nil`. In a folder
    /// the names of files begin with it and a dot, and others are let be; a key without it is an error, unless it is there with
    /// it as well, or is a single word in a folder that is not of secrets.
    public var scope: String?
    /// A folder with a file for each key, for secrets; it outranks the file.
    public var secrets: String?
    /// What outranks both, such as the environment, scoped to the same keys.
    public var overrides: ConfigReader?

    /// Creates a description of a file; nothing is read yet.
    public init(_ path: String, scope: String? = nil, secrets: String? = nil, overrides: ConfigReader? = nil) {
        self.path = path
        self.scope = scope
        self.secrets = secrets
        self.overrides = overrides
    }

    /// A file that is read as a whole.
    public init(stringLiteral path: String) {
        self.init(path)
    }

    /// What a file or a folder has in it.
    enum Contents: Equatable {
        case file([UInt8])
        case folder([Entry])

        struct Entry: Equatable {
            var name: String
            var text: String
        }
    }

    /// Reads everything; throws ``ConfigurationError``.
    func layers() throws -> [SettingsReader.Layer] { try self.layers(of: self.contents()) }

    /// What stands in the folder of secrets, and in the file.
    func contents() throws -> [Contents] {
        try self.paths.map { try Self.contents(of: $0, attempts: 3) }
    }

    /// Looks through what was read.
    func layers(of contents: [Contents]) throws -> [SettingsReader.Layer] {
        var layers: [SettingsReader.Layer] = []
        if let overrides { layers.append(.config(overrides.snapshot())) }
        for (path, contents) in zip(self.paths, contents) {
            switch contents {
            case .file(let bytes):
                layers.append(.tree(try SettingsTree(json: bytes, scope: self.scope, origin: path)))
            case .folder(let files):
                layers.append(
                    .tree(
                        try SettingsTree(files: files, scope: self.scope, isShared: path != self.secrets, origin: path)
                    )
                )
            }
        }
        return layers
    }

    private var paths: [String] { [self.secrets, self.path].compactMap(\.self) }

    private static func contents(of path: String, attempts: Int) throws -> Contents {
        do throws(FileError) {
            return try Self.contents(of: path)
        } catch {
            // A link that leads elsewhere by now, as in a folder that Kubernetes changes.
            if error.isAbsence, attempts > 1 { return try Self.contents(of: path, attempts: attempts - 1) }
            throw ConfigurationError(
                setting: "file",
                value: path,
                rule: "it cannot be read: \(error)",
                suggestion: "Check the path, and who may read it."
            )
        }
    }

    private static func contents(of path: String) throws(FileError) -> Contents {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("stat", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else { return .file(try Self.bytes(path)) }
        var files: [Contents.Entry] = []
        for name in try FileSystem.names(in: path) {
            let file = "\(path)/\(name)"
            guard stat(file, &status) == 0 else { throw FileError("stat", file) }
            guard status.st_mode & S_IFMT != S_IFDIR else { continue }
            files.append(.init(name: name, text: String(decoding: try Self.bytes(file), as: UTF8.self)))
        }
        return .folder(files)
    }

    private static func bytes(_ path: String) throws(FileError) -> [UInt8] {
        guard let real = realpath(path, nil) else { throw FileError("open", path) }
        defer { free(real) }
        return try FileSystem.read(String(cString: real), limit: 1 << 20, access: nil)
    }
}

#endif
