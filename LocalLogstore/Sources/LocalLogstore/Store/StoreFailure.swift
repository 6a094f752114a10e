// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// Why a store takes no logs at present.
public struct StoreFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        /// There is no room on the disk.
        case full
        /// The database does not take what is written.
        case failing
        /// A file of the database was removed or replaced; nothing is stored until it is opened anew.
        case removed
    }

    public var reason: Reason
    /// The file; `nil` in memory.
    public var path: String?
    /// What the database says; the file that was removed.
    public var message: String

    public init(reason: Reason, path: String?, message: String) {
        self.reason = reason
        self.path = path
        self.message = message
    }

    /// - Parameter systemError: What the system said last; it counts where the database says no more than that it failed.
    init(_ error: DatabaseError, systemError: Int32, path: String?) {
        let isFromSystem = [ResultCode.SQLITE_IOERR, .SQLITE_CANTOPEN].contains(error.resultCode)
        let isFull = error.resultCode == .SQLITE_FULL || isFromSystem && [ENOSPC, EDQUOT].contains(systemError)
        let words = error.message ?? "error \(error.extendedResultCode.rawValue)"
        let message = isFromSystem && systemError != 0 ? "\(words): \(String(cString: strerror(systemError)))" : words
        self.init(reason: isFull ? .full : .failing, path: path, message: message)
    }

    public var description: String {
        let place = self.path ?? "the memory"
        return switch self.reason {
        case .full: "there is no room for \(place) (\(self.message))"
        case .failing: "\(place) cannot be written (\(self.message))"
        case .removed: "\(self.message) was removed or replaced; start the endpoint anew to store logs again"
        }
    }
}
