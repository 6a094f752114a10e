// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

public import Configuration
import WebTrackingPlatform

/// A JSON file with settings, of which every key is checked: a misspelt key or a value of the wrong type is an error. A
/// reader of swift-configuration would ignore both.
///
/// Links are followed, and the path may have any characters. Instead of a file, the path may name a folder with one
/// file for each key, such as `signing.accessKeySecret`: a Secret or a ConfigMap that Kubernetes mounts.
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
    /// The object of the file that has the settings, with dots for nested objects; the whole file if `nil`. In a
    /// folder, the names of files begin with it and a dot, and other files are ignored. But a file that is named as a
    /// key without the scope is an error, unless there is one with the scope too, or its name is a single word and the
    /// folder is not ``secrets``.
    public var scope: String?
    /// A folder with one file for each key, for secrets. It outranks the file.
    public var secrets: String?
    /// Outranks both, for example the environment, scoped to the same keys.
    public var overrides: ConfigReader?

    /// Creates a description of a file. Nothing is read yet.
    public init(_ path: String, scope: String? = nil, secrets: String? = nil, overrides: ConfigReader? = nil) {
        self.path = path
        self.scope = scope
        self.secrets = secrets
        self.overrides = overrides
    }

    /// A file with nothing but settings.
    public init(stringLiteral path: String) {
        self.init(path)
    }

    /// The contents of a file or a folder.
    enum Contents: Equatable {
        case file([UInt8])
        case folder([Entry])

        struct Entry: Equatable {
            var name: String
            var text: String
        }
    }

    /// Reads everything. Throws ``ConfigurationError``.
    func layers() throws -> [SettingsReader.Layer] { try self.layers(of: self.contents()) }

    /// The contents of the folder of secrets, and of the file.
    func contents() throws -> [Contents] {
        try self.paths.map { try Self.contents(of: $0, attempts: 3) }
    }

    /// Parses and checks contents.
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
            // Kubernetes swaps a link when it changes a mounted folder, so a path may lead to nothing for a moment.
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
        // `FileSystem.read` refuses links, and a folder that Kubernetes mounts consists of them.
        guard let real = realpath(path, nil) else { throw FileError("open", path) }
        defer { free(real) }
        return try FileSystem.read(String(cString: real), limit: 1 << 20, access: nil)
    }
}

#endif
