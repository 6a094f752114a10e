// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What a client reads with: the query of its request, or the JSON object in its body.
struct ReadParameters: Sendable {
    private let fields: [Field]

    /// Throws what the service answers for a parameter that is there twice, and in strict mode for one that is not known.
    ///
    /// - Parameter known: The names of those that mean something, or that clients send with what is the default here.
    init(_ fields: [Field], known: Set<String>, mode: DecodingMode) throws(ServiceError) {
        var names: Set<String> = []
        for field in fields {
            guard mode == .compatible || known.contains(field.name) else {
                throw .parameterInvalid("There is no parameter \(field.name) here.")
            }
            guard names.insert(field.name).inserted else {
                throw .parameterInvalid("The parameter \(field.name) is there twice.")
            }
        }
        self.fields = fields
    }

    /// The members of a JSON object, its numbers and truth values as text.
    static func fields(ofJSON body: [UInt8]) throws(ServiceError) -> [Field] {
        guard case .object(let members)? = try? JSONValue(parsing: body) else {
            throw .bodyInvalid("The request body is not valid JSON object.")
        }
        var fields: [Field] = []
        for member in members {
            switch member.value {
            case .string(let text), .number(let text): fields.append(Field(member.name, text))
            case .bool(let value): fields.append(Field(member.name, value ? "true" : "false"))
            case .null: break
            case .array, .object: throw .parameterInvalid("The parameter \(member.name) is neither text nor a number.")
            }
        }
        return fields
    }

    /// `nil` where there is none, or an empty one.
    func text(_ name: String) -> String? {
        guard let value = self.fields.first(where: { $0.name == name })?.value, !value.isEmpty else { return nil }
        return value
    }

    func int(
        _ name: String,
        in range: ClosedRange<Int64>,
        default value: Int64? = nil,
        code: String = "ParameterInvalid"
    ) throws(ServiceError) -> Int64 {
        guard let number = self.text(name).map({ Int64($0) }) ?? value, range.contains(number) else {
            throw ServiceError(
                status: 400,
                code: code,
                message: "The parameter \(name) has to be a number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return number
    }

    /// Python writes truth values with a capital.
    func bool(_ name: String, code: String) throws(ServiceError) -> Bool {
        switch self.text(name)?.lowercased() {
        case nil, "false": return false
        case "true": return true
        default:
            throw ServiceError(status: 400, code: code, message: "The parameter \(name) is neither true nor false.")
        }
    }
}
