// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What a producer may find around it that will cost records or memory; the code of
/// ``ProducerDiagnostic/environment(code:reason:suggestion:)``.
public enum EnvironmentProblem: String, Sendable, CaseIterable {
    /// The spool is on a file system in memory: its files count against the limit of the control group, and do not survive
    /// the machine.
    case spoolInMemory = "spool_in_memory"
    /// The spool is on a file system of another machine or another program, whose locks may outlive a process.
    case spoolOnNetwork = "spool_on_network"
    /// The control group has less memory than the settings let the producer use.
    case memoryLimit = "memory_limit"
    /// The endpoint is https, and no certificate authorities were found.
    case noCertificates = "no_certificates"
    /// This machine's clock is far from the service's.
    case clockDifference = "clock_difference"
}
