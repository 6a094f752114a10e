// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Judges a `GET /logstores/{name}/track` and its variants, which carry one log in the query.
public struct TrackQueryDecoder: Sendable {
    public var limits: TrackLimits

    public init(limits: TrackLimits = TrackLimits()) {
        self.limits = limits
    }

    /// Decodes the query of a request target, or throws the answer that the service would give.
    ///
    /// - Parameters:
    ///   - target: Path and query, as sent.
    ///   - clientAddress: The source of the log if the query names none.
    ///   - additional: Fields to store besides those of the query; one that the query has as well is left out.
    public func decode(
        target: String,
        clientAddress: String,
        additional: [Field] = []
    ) throws(ServiceError) -> LogGroup {
        guard target.utf8.count < self.limits.targetBytes else {
            throw .parameterInvalid("The request is not under \(self.limits.targetBytes) bytes.")
        }
        var parameters = try self.parameters(target)
        try ServiceError.checkVersion(parameters.remove("APIVersion"))
        let topic = try self.label("__topic__", parameters.remove("__topic__") ?? "")
        let source = try self.label("__source__", parameters.remove("__source__") ?? clientAddress)
        _ = parameters.remove("__time__")
        for parameter in parameters { try self.check(parameter) }
        guard !parameters.isEmpty else { throw .parameterInvalid("The query holds no fields.") }
        for field in additional where !parameters.contains(where: { $0.name == field.name }) {
            parameters.append(field)
        }
        return LogGroup(topic: topic, source: source, tags: [], logs: [LogFields(parameters)])
    }

    private func parameters(_ target: String) throws(ServiceError) -> [Field] {
        guard let parameters = FormEncoding.parameters(of: target) else {
            throw .parameterInvalid("The query is not percent-encoded UTF-8.")
        }
        var names = NameSet()
        for parameter in parameters where !names.insert(Array(parameter.name.utf8)[...]) {
            throw .parameterInvalid("The parameter \(parameter.name) occurs twice.")
        }
        return parameters
    }

    private func label(_ name: String, _ value: String) throws(ServiceError) -> String {
        guard value.utf8.count <= self.limits.topicBytes else {
            throw .parameterInvalid("The \(name) is over \(self.limits.topicBytes) bytes.")
        }
        return value
    }

    private func check(_ field: Field) throws(ServiceError) {
        guard (1...self.limits.keyBytes).contains(field.name.utf8.count) else {
            throw .keyInvalid("A key has to be of 1 to \(self.limits.keyBytes) bytes.")
        }
        guard !Names.isReservedField(Array(field.name.utf8)[...]) else {
            throw .parameterInvalid("The key \(field.name) is reserved.")
        }
    }
}

extension [Field] {
    /// Takes the field `name` out, and returns its value.
    fileprivate mutating func remove(_ name: String) -> String? {
        guard let index = self.firstIndex(where: { $0.name == name }) else { return nil }
        return self.remove(at: index).value
    }
}
