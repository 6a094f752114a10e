// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// A spool follows no links, and takes nothing from other users and gives them nothing.
@Suite(.timeLimit(.minutes(10))) struct SpoolPrivacyTests {
    /// A folder that looks like a dead producer's, with a file of another directory's spool in it.
    private func plant(
        _ directory: SpoolDirectory,
        _ place: (_ file: String, _ target: String) throws -> Void
    ) async throws {
        let other = SpoolDirectory()
        try await SpoolTests.leave(3, in: other)
        let source = try #require(other.holding.first)
        let box = "\(directory.path)/\(SpoolFolder.prefix)0000-planted"
        try FileSystem.makeDirectory(box)
        directory.overwrite("\(box)/lock", with: [])
        let copy = "\(directory.path)-outside"
        directory.overwrite(copy, with: other.contents(of: source))
        chmod(copy, 0o600)
        try place("\(box)/0000000000000000.seg", copy)
    }

    /// Runs a producer over the directory, and says how many records it took from there.
    private func recovered(_ directory: SpoolDirectory) async throws -> Int {
        let rig = try SpoolTests.rig(directory)
        // Its recovery has looked at everything when it waits for its next round.
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        let recovered = rig.producer.statistics.recovered
        let folder = rig.producer.maintenance?.folder
        await rig.producer.shutdown(timeout: .zero)
        // What it leaves of itself is no part of what is looked at next.
        await rig.producer.maintenance?.waitUntilStopped()
        if let folder { await SpoolTests.waitUntilLeft(folder) }
        return recovered
    }

    @Test func aPlantedFileThatIsPlainIsTakenWhichProvesTheTestsBelow() async throws {
        let directory = SpoolDirectory()
        try await self.plant(directory) { #expect(rename($1, $0) == 0) }
        let rig = try await SpoolTests.recover(3, from: directory)
        #expect(rig.producer.statistics.delivered == 3)
        await rig.stop()
    }

    @Test func aFileThatIsALinkIsNotFollowed() async throws {
        let directory = SpoolDirectory()
        try await self.plant(directory) { #expect(symlink($1, $0) == 0) }
        let outside = directory.contents(of: "\(directory.path)-outside")
        #expect(try await self.recovered(directory) == 0)
        // Nor is what it points to written to.
        #expect(directory.contents(of: "\(directory.path)-outside") == outside)
        unlink("\(directory.path)-outside")
    }

    @Test func aFileThatIsAPipeHoldsNobodyUp() async throws {
        let directory = SpoolDirectory()
        try await self.plant(directory) {
            #expect(mkfifo($0, 0o600) == 0)
            unlink($1)
        }
        #expect(try await self.recovered(directory) == 0)
        _ = try WebTrackingSpool(directory: directory.path).batches()
    }

    @Test func aLockThatIsALinkIsNotFollowed() async throws {
        let directory = SpoolDirectory()
        let target = "\(directory.path)-target"
        try await self.plant(directory) { file, copy in
            #expect(rename(copy, file) == 0)
            let lock = "\(file.dropLast("0000000000000000.seg".count))lock"
            unlink(lock)
            #expect(symlink(target, lock) == 0)
        }
        #expect(try await self.recovered(directory) == 0)
        var status = stat()
        #expect(lstat(target, &status) != 0)
    }

    @Test func aFolderThatIsALinkIsNotFollowed() async throws {
        let directory = SpoolDirectory()
        let other = SpoolDirectory()
        try await SpoolTests.leave(3, in: other)
        try FileSystem.makeDirectory(directory.path)
        let box = try #require(try FileSystem.names(in: other.path).first)
        #expect(symlink("\(other.path)/\(box)", "\(directory.path)/\(SpoolFolder.prefix)0000-link") == 0)
        #expect(try await self.recovered(directory) == 0)
        #expect(other.holding.count == 1)
    }

    @Test func aDirectoryThatIsALinkIsNotUsed() async throws {
        let directory = SpoolDirectory()
        let other = SpoolDirectory()
        try await SpoolTests.leave(3, in: other)
        #expect(symlink(other.path, directory.path) == 0)
        let rig = try SpoolTests.rig(directory)
        rig.sink().info("m")
        #expect(await rig.drain().map { $0["message"] } == ["m"])
        #expect(rig.producer.statistics.recovered == 0)
        #expect(rig.diagnostics.elements.contains { if case .spoolUnavailable = $0 { true } else { false } })
        await rig.stop()
        #expect(other.holding.count == 1)
        unlink(directory.path)
    }

    @Test func damagedFilesAreNotSetAsideThroughALink() async throws {
        let directory = SpoolDirectory()
        let elsewhere = SpoolDirectory()
        try FileSystem.makeDirectory(elsewhere.path)
        try await SpoolTests.leave(3, in: directory)
        let file = try #require(directory.holding.first)
        var bytes = directory.contents(of: file)
        bytes[70] ^= 1
        directory.overwrite(file, with: bytes)
        #expect(symlink(elsewhere.path, "\(directory.path)/damaged") == 0)
        #expect(try await self.recovered(directory) == 0)
        #expect(try FileSystem.names(in: elsewhere.path) == [])
        unlink("\(directory.path)/damaged")
    }

    @Test(arguments: [0o770, 0o707, 0o722] as [mode_t])
    func recordsInADirectoryThatOthersCanWriteToAreNotTaken(mode: mode_t) async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        chmod(directory.path, mode)
        #expect(try await self.recovered(directory) == 0)
        chmod(directory.path, 0o700)
        #expect(directory.holding.count == 1)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
    func filesAndFoldersOfAnotherUserAreNotTaken() async throws {
        let directory = SpoolDirectory()
        try await self.plant(directory) {
            #expect(rename($1, $0) == 0)
            #expect(chown($0, 12_345, 12_345) == 0)
        }
        #expect(try await self.recovered(directory) == 0)
        let second = SpoolDirectory()
        try await SpoolTests.leave(3, in: second)
        let box = try #require(try FileSystem.names(in: second.path).first)
        #expect(chown("\(second.path)/\(box)", 12_345, 12_345) == 0)
        #expect(try await self.recovered(second) == 0)
        // A tool may look at them, where the system lets it.
        #expect(try WebTrackingSpool(directory: second.path).batches().map(\.records) == [3])
    }

    @Test func whatWasDeliveredDoesNotStayInAFile() async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory)
        rig.sink().info("a secret that was delivered")
        await rig.drain()
        for file in directory.files {
            let text = String(decoding: directory.contents(of: file), as: UTF8.self)
            #expect(!text.contains("secret"))
        }
        await rig.stop()
    }
}
