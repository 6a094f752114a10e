// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Whose folders and files are used, decided without files.
@Suite struct SpoolAccessTests {
    private static func access(_ trust: SpoolAccess.Trust) -> SpoolAccess {
        SpoolAccess(user: 1000, groups: [1000, 2000], trust: trust)
    }

    private static func folder(_ mode: mode_t, user: uid_t = 1000, group: gid_t = 1000) -> SpoolAccess.Entry {
        SpoolAccess.Entry(mode: S_IFDIR | mode, user: user, group: group)
    }

    @Test func theOwnersFoldersAreUsedIfNobodyElseMayWriteToThem() {
        let access = Self.access(.owner)
        #expect(access.refusal(ofFolder: Self.folder(0o700)) == nil)
        #expect(access.refusal(ofFolder: Self.folder(0o755)) == nil)
        #expect(access.refusal(ofFolder: Self.folder(0o2770, group: 2000)) == .writableByGroup)
        #expect(access.refusal(ofFolder: Self.folder(0o770, group: 3000)) == .writableByOthers)
        #expect(access.refusal(ofFolder: Self.folder(0o702)) == .writableByOthers)
        #expect(access.refusal(ofFolder: Self.folder(0o1777)) == .writableByOthers)
        #expect(access.refusal(ofFolder: Self.folder(0o700, user: 0)) == .otherUser(0))
        #expect(access.refusal(ofFolder: .init(mode: S_IFLNK | 0o777, user: 1000, group: 1000)) == .link)
        #expect(access.refusal(ofFolder: .init(mode: S_IFREG | 0o600, user: 1000, group: 1000)) == .noFolder)
    }

    @Test func aGroupsFoldersAreUsedIfTheProcessIsInItAndWasToldSo() {
        let access = Self.access(.group)
        #expect(access.refusal(ofFolder: Self.folder(0o700)) == nil)
        #expect(access.refusal(ofFolder: Self.folder(0o2770, group: 2000)) == nil)
        #expect(access.refusal(ofFolder: Self.folder(0o2775, user: 0, group: 2000)) == nil)
        // Of a group it is not in, of nobody's in particular, and another user's that the group may not use.
        #expect(access.refusal(ofFolder: Self.folder(0o770, group: 3000)) == .writableByOthers)
        #expect(access.refusal(ofFolder: Self.folder(0o777, group: 2000)) == .writableByOthers)
        #expect(access.refusal(ofFolder: Self.folder(0o700, user: 0, group: 2000)) == .otherUser(0))
        #expect(access.refusal(ofFolder: Self.folder(0o770, user: 1, group: 3000)) == .otherUser(1))
    }

    @Test func onlyRootThatSavesRecordsIsGivenEverybodysAndNeverALink() {
        let access = SpoolAccess(user: 0, groups: [0], trust: .anyone)
        #expect(access.refusal(ofFolder: Self.folder(0o777, user: 7)) == nil)
        #expect(access.refusal(ofFolder: .init(mode: S_IFLNK | 0o777, user: 7, group: 7)) == .link)
        let asked = SpoolAccess(.owner, isRescue: true)
        #expect(asked.trust == (geteuid() == 0 ? .anyone : .owner))
        #expect(SpoolAccess(.owner).trust == .owner && SpoolAccess(.group).trust == .group)
    }

    @Test func aDirectoryThatSomebodyCalledAlikeIsNoFolderOfThisLibrarys() {
        for name in ["webtracking-1000", "/tmp/webtracking-0", "/mnt/webtracking-shared"] {
            #expect(SpoolAccess.isSubfolder(name))
        }
        for name in ["/tmp/webtracking-spool", "webtracking-", "webtracking-1a", "/webtracking-1/producer-2", ""] {
            #expect(!SpoolAccess.isSubfolder(name))
        }
    }

    @Test func whatToDoIsACommandThatAShellTakes() {
        #expect(SpoolRefusal.otherUser(0).suggestion("/a b/it's", user: 7) == "chown -R 7 '/a b/it'\\''s'")
        #expect(SpoolRefusal.writableByOthers.suggestion("/var/spool", user: 7) == "chmod -R go-w /var/spool")
    }
}

/// Volumes as they are mounted: given to a group, to another user, open to everybody, and with locks swept away.
@Suite(.timeLimit(.minutes(10))) struct SpoolVolumeTests {
    private static let isRoot = geteuid() == 0

    private func left(_ rig: Rig) -> [(path: String, records: Int?, files: Int, text: String)] {
        rig.diagnostics.elements.compactMap { diagnostic in
            guard case .spoolLeft(let path, let records, let files, _, _) = diagnostic else { return nil }
            return (path, records, files, "\(diagnostic)")
        }
    }

    /// Runs a producer over the directory until its recovery has looked at everything.
    private func look(
        _ directory: SpoolDirectory,
        configure: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) async throws -> Rig {
        let rig = try SpoolTests.rig(directory, configure: configure)
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        return rig
    }

    /// Runs a rescue over a directory until it has taken over and delivered `count` records.
    private func rescue(_ directory: SpoolDirectory, atLeast count: Int) async throws -> Rig {
        let rig = try SpoolTests.rig(directory) { $0.spool.isRescue = true }
        await rig.run(inStepsOf: .zero) {
            rig.producer.statistics.recovered >= count && rig.producer.statistics.pending == 0
        }
        return rig
    }

    private func spoolFolder(_ directory: SpoolDirectory) throws -> String {
        let name = try FileSystem.names(in: directory.path).first { $0.hasPrefix(SpoolFolder.prefix) }
        return "\(directory.path)/\(try #require(name))"
    }

    /// What Kubernetes does to a volume for `fsGroup`.
    private func giveToGroup(_ directory: SpoolDirectory) throws {
        let spoolFolder = try self.spoolFolder(directory)
        for path in [directory.path, spoolFolder] { #expect(chmod(path, 0o2770) == 0) }
        for name in try FileSystem.names(in: spoolFolder) { #expect(chmod("\(spoolFolder)/\(name)", 0o660) == 0) }
    }

    // MARK: Group and user

    @Test func recordsOnAVolumeThatIsGivenToAGroupAreToldOfWithTheirNumberAndWhatToDo() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        try self.giveToGroup(directory)
        let rig = try await self.look(directory)
        let left = self.left(rig)
        #expect(left.map(\.records) == [3] && left.map(\.files) == [1])
        #expect(
            left.first?.text == "left in \(directory.path): 3 records in 1 file, its group may write to it; "
                + "chmod -R g-w \(directory.path), or set spool.permits to group"
        )
        #expect(rig.producer.statistics.recovered == 0)
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func aGroupOfTheProcessMayWriteToAVolumeIfThatIsPermitted() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        try self.giveToGroup(directory)
        let rig = try await SpoolTests.recover(3, from: directory) { $0.spool.permits = .group }
        #expect(rig.transport.logs.map { $0["message"] } == ["0", "1", "2"])
        #expect(self.left(rig).isEmpty)
        await rig.stop()
    }

    @Test func whatIsMadeForAGroupIsOpenToItWhateverTheMask() async throws {
        let directory = SpoolDirectory()
        let mask = umask(0o077)
        defer { umask(mask) }
        try await SpoolTests.leave(3, in: directory) { $0.spool.permits = .group }
        let spoolFolder = try self.spoolFolder(directory)
        for (path, mode) in [
            (directory.path, 0o2770), (spoolFolder, 0o2770), ("\(spoolFolder)/lock", 0o660),
            (directory.holding[0], 0o660),
        ] as [(String, mode_t)] {
            #expect(try FileSystem.entry(path).mode & 0o7777 == mode, "\(path)")
        }
    }

    @Test(.enabled(if: isRoot, "only root can give files away"))
    func foldersOfAnotherUserAreToldOfWithTheirNumberAndWhatToDo() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let spoolFolder = try self.spoolFolder(directory)
        #expect(chown(spoolFolder, 12_345, 12_345) == 0)
        let rig = try await self.look(directory)
        #expect(
            self.left(rig).map(\.text) == [
                "left in \(spoolFolder): 3 records in 1 file, it belongs to another user (12345); chown -R 0 \(spoolFolder)"
            ]
        )
        // Once: it is no trouble besides.
        #expect(!rig.diagnostics.elements.contains { if case .spoolFailed = $0 { true } else { false } })
        // What was done about it is seen at the next look.
        #expect(chown(spoolFolder, 0, 0) == 0)
        await rig.run(inStepsOf: .seconds(30)) { rig.producer.statistics.delivered == 3 }
        await rig.stop()
    }

    @Test(.enabled(if: isRoot, "only root can give files away"))
    func aFileOfAnotherUserIsToldOfAndStaysWhereItIs() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let file = try #require(directory.holding.first)
        #expect(chown(file, 12_345, 12_345) == 0)
        let rig = try await self.look(directory)
        #expect(self.left(rig).map(\.files) == [1])
        #expect(self.left(rig).first?.text.contains("chown -R 0 \(try self.spoolFolder(directory))") ?? false)
        await rig.producer.shutdown(timeout: .zero)
        #expect(directory.holding == [file] && directory.damaged.isEmpty)
    }

    // MARK: Mount points

    @Test(arguments: [0o777, 0o1777, 0o2777, 0o770] as [mode_t])
    func aDirectoryThatOthersMayWriteToWorksByAFolderThatNobodyElseMay(mode: mode_t) async throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        chmod(directory.path, mode)
        let first = try await self.look(directory)
        #expect(first.diagnostics.elements.isEmpty)
        await first.producer.shutdown(timeout: .zero)
        try await SpoolTests.leave(3, in: directory)
        let folder = "\(directory.path)/webtracking-\(geteuid())"
        #expect(try FileSystem.entry(folder).mode & 0o7777 == 0o700 | (mode & 0o2000))
        #expect(try FileSystem.names(in: directory.path).count == 1)
        let batches = try WebTrackingSpool(directory: directory.path).batches()
        #expect(batches.map(\.records) == [3] && batches[0].path.hasPrefix(folder))
        let rig = try await SpoolTests.recover(3, from: directory)
        #expect(!rig.diagnostics.elements.contains { if case .spoolUnavailable = $0 { true } else { false } })
        await rig.stop()
        #expect(try FileSystem.names(in: folder) == [])
    }

    @Test func whatWasLeftInAFolderOfAMountPointIsFoundWhenTheDirectoryIsPrivateLater() async throws {
        let directory = SpoolDirectory()
        try FileSystem.makeDirectory(directory.path)
        chmod(directory.path, 0o777)
        try await SpoolTests.leave(3, in: directory)
        chmod(directory.path, 0o700)
        try await SpoolTests.leave(2, in: directory, from: 3)
        let rig = try await SpoolTests.recover(5, from: directory)
        // Both are of the same time.
        #expect(rig.transport.logs.compactMap { $0["message"] }.sorted() == (0..<5).map { "\($0)" })
        await rig.stop()
    }

    @Test func recordsInADirectoryThatEverybodyMayWriteToByNowAreToldOf() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        chmod(directory.path, 0o777)
        let rig = try await self.look(directory)
        rig.sink().info("new")
        #expect(rig.producer.maintenance?.store.isUnavailable == false)
        #expect(
            self.left(rig).map(\.text) == [
                "left in \(directory.path): 3 records in 1 file, others may write to it; chmod -R go-w \(directory.path)"
            ]
        )
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test(arguments: ["", "/", "//", "/."])
    func aDirectoryThatIsALinkIsRefusedWithASlashBehindItAsWithout(suffix: String) async throws {
        let directory = SpoolDirectory()
        let other = SpoolDirectory()
        try await SpoolTests.leave(3, in: other)
        #expect(symlink(other.path, directory.path) == 0)
        defer { unlink(directory.path) }
        let rig = try SpoolTests.rig(directory) { $0.spool.directory = directory.path + suffix }
        rig.sink().info("m")
        #expect(await rig.drain().map { $0["message"] } == ["m"])
        #expect(rig.producer.statistics.recovered == 0)
        let reasons = rig.diagnostics.elements.compactMap { diagnostic -> String? in
            if case .spoolUnavailable(_, let reason) = diagnostic { reason } else { nil }
        }
        #expect(reasons.first == "\(directory.path): it is a link; name what it leads to")
        await rig.stop()
        #expect(other.holding.count == 1)
    }

    // MARK: Locks

    @Test func aLivingFolderIsNotTakenOverWhenItsLockFileIsSweptAway() async throws {
        let directory = SpoolDirectory()
        let first = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        for number in 0..<3 { first.sink().info("\(number)") }
        unlink("\(try self.spoolFolder(directory))/lock")
        let second = try await self.look(directory)
        #expect(second.producer.statistics.recovered == 0)
        await second.stop()
        // Nor does the first one take its folder for removed.
        for number in 3..<6 { first.sink().info("\(number)") }
        #expect(!first.diagnostics.elements.contains { if case .spoolUnavailable = $0 { true } else { false } })
        await first.producer.shutdown(timeout: .zero)
        let next = try await SpoolTests.recover(6, from: directory)
        #expect(next.transport.logs.map { $0["message"] } == (0..<6).map { "\($0)" })
        await next.stop()
        #expect(try FileSystem.names(in: directory.path) == [])
    }

    @Test func aFolderWhoseOldLockIsHeldIsLeftToItsOwnerAndANewOneHoldsIt() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let lock = "\(try self.spoolFolder(directory))/lock"
        // A version before this one holds the file alone.
        let descriptor = try FileSystem.open(lock, flags: O_RDWR)
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        let rig = try await self.look(directory)
        #expect(rig.producer.statistics.recovered == 0)
        await rig.producer.shutdown(timeout: .zero)
        close(descriptor)
        // And it looks at the file alone.
        let living = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        await living.transport.waitForAttempts(1)
        let other = try FileSystem.open(lock, flags: O_RDWR)
        defer { close(other) }
        #expect(flock(other, LOCK_EX | LOCK_NB) != 0)
        await living.producer.shutdown(timeout: .zero)
    }

    // MARK: What is left for others

    @Test func recordsForAnotherLogstoreAreToldOfAtAStartWithTheirNumberAndACommand() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory) { $0.logstore = "other" }
        try await SpoolTests.leave(4, in: directory) { $0.logstore = "other" }
        let living = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.logstore = "third"
        }
        // While it looks itself, it holds the others' locks.
        await living.run(inStepsOf: .zero) { living.awaitsNextLook }
        living.sink().info("alive")
        let rig = try await self.look(directory)
        #expect(
            self.left(rig).map(\.text) == [
                "left in \(directory.path): 7 records in 2 files, for project/other, not for this producer's logstore; "
                    + "a producer for it delivers them, or webtracking spool replay \(directory.path) "
                    + "--endpoint ENDPOINT --project project --logstore other"
            ]
        )
        // Not at the next look.
        rig.clock.advance(by: .seconds(30))
        await rig.run(inStepsOf: .zero) { rig.awaitsNextLook }
        #expect(self.left(rig).count == 1)
        await rig.stop()
        await living.producer.shutdown(timeout: .zero)
    }

    @Test func filesOfANewerFormatAreToldOfAtAStart() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let file = try #require(directory.holding.first)
        var bytes = directory.contents(of: file)
        bytes[SpoolFormat.Offset.version] = 3
        directory.overwrite(file, with: bytes)
        let rig = try await self.look(directory)
        #expect(
            self.left(rig).map(\.text) == [
                "left in \(try self.spoolFolder(directory)): records that cannot be counted in 1 file, in format 3, and this "
                    + "version reads 2; a producer or webtracking spool replay of a newer version delivers them"
            ]
        )
        await rig.stop()
        #expect(directory.contents(of: file) == bytes)
    }

    // MARK: Rescue

    @Test func aRescueDeliversAllHoweverMuchAndHoweverOldItIs() async throws {
        let directory = SpoolDirectory()
        let padding = String(repeating: "x", count: 1000)
        try await SpoolTests.leave(1, in: directory)
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never))
        for number in 1..<2000 { rig.sink().info("\(number)", metadata: ["padding": "\(padding)"]) }
        await rig.producer.shutdown(timeout: .zero)
        await rig.producer.maintenance?.waitUntilStopped()
        let bytes = directory.files.reduce(0) { $0 + directory.contents(of: $1).count }
        #expect(bytes > 1 << 20)
        // Two years later, with a bound that is less than what there is.
        let later = Rig.start + 2 * 366 * 86_400_000_000_000
        let next = try SpoolTests.rig(directory, wallTime: later) {
            $0.spool.maximumBytes = 1 << 20
            $0.spool.isRescue = true
        }
        await next.run { next.producer.statistics.recovered >= 2000 && next.producer.statistics.pending == 0 }
        #expect(next.producer.statistics.delivered == 2000 && next.producer.statistics.dropped == [:])
        await next.stop()
    }

    @Test func aRescueGivesUpNothingHoweverLongTheServiceRefusesItOrDoesNotAnswer() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let refusals: [InMemoryTransport.Reply] = [
            .failure(status: 401, code: "Unauthorized"), .noAnswer,
            // What is said for good of the destination or of the request, and not of what is in a record.
            .failure(status: 403, code: "ProjectForbidden"), .failure(status: 400, code: "MissingHost"),
            .failure(status: 405, code: "MethodNotAllowed"), .failure(status: 301, code: "Moved"),
        ]
        for refusal in refusals {
            let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: refusal)) {
                $0.spool.isRescue = true
                $0.delivery.refusalPatience = .seconds(60)
                $0.delivery.maximumAge = .seconds(120)
            }
            let start = rig.clock.now()
            await rig.run { rig.clock.now() >= start + .seconds(600) }
            #expect(rig.producer.statistics.recovered == 3 && rig.producer.statistics.dropped == [:])
            await rig.producer.shutdown(timeout: .zero)
            await rig.producer.maintenance?.waitUntilStopped()
        }
        let next = try await SpoolTests.recover(3, from: directory)
        #expect(next.transport.logs.count == 3)
        await next.stop()
    }

    @Test(arguments: [true, false])
    func aRecordThatIsRefusedInARescueIsSetAsideWithItsFile(byService: Bool) async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(60, in: directory)
        let transport = PickyTransport { request, _ in
            guard request.logs.contains(where: { ["7", "9"].contains($0["message"]) }) else { return nil }
            return byService ? PickyTransport.service(400, "PostBodyInvalid") : PickyTransport.page(403)
        }
        let clock = ManualClock(wallTime: Rig.start)
        let reported = Recorder<ProducerDiagnostic>()
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = directory.path
        configuration.spool.isRescue = true
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: transport,
            diagnostics: DiagnosticHandler { reported.add($0) },
            clock: clock
        )
        while !(producer.statistics.recovered == 60 && producer.statistics.pending == 0), !Task.isCancelled {
            await Task.yield()
            if let rest = clock.timeToNextDeadline { clock.advance(by: rest) }
        }
        let arrived = transport.inner.logs.compactMap { $0["message"].flatMap { Int($0) } }
        #expect(arrived == (0..<60).filter { $0 != 7 && $0 != 9 } && producer.statistics.dropped == [.rejected: 2])
        await producer.shutdown(timeout: .seconds(60))
        // Once, however many of its records are refused; and they can be read there.
        let kept = try #require(directory.damaged.first)
        #expect(directory.damaged.count == 1 && producer.statistics.damagedSpoolFiles == 1)
        let text = String(decoding: directory.contents(of: "\(directory.path)/damaged/\(kept)"), as: UTF8.self)
        #expect(text.contains(#""message":"7""#) && text.contains(#""message":"9""#))
        let told = reported.elements.compactMap { diagnostic -> String? in
            if case .spoolDamaged(_, let reason) = diagnostic { reason } else { nil }
        }
        #expect(told == ["a record in it was refused (rejected)"])
    }

    @Test func whatARescueLogsItselfIsGivenUpAsEverywhere() async throws {
        let directory = SpoolDirectory()
        let transport = InMemoryTransport(otherwise: .failure(status: 401, code: "Unauthorized"))
        let rig = try SpoolTests.rig(directory, transport: transport) {
            $0.spool.isRescue = true
            $0.delivery.refusalPatience = .seconds(60)
        }
        rig.sink().info("own")
        await rig.run { rig.producer.statistics.dropped[.unauthorized, default: 0] > 0 }
        await rig.producer.shutdown(timeout: .zero)
        rig.checkConservation()
    }

    @Test(.enabled(if: isRoot, "only root can read what is another user's"))
    func aRescueByRootReadsAnotherUsersFoldersButFollowsNoLink() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let spoolFolder = try self.spoolFolder(directory)
        let file = try #require(directory.holding.first)
        let outside = SpoolDirectory()
        try await SpoolTests.leave(2, in: outside)
        #expect(symlink(try #require(outside.holding.first), "\(spoolFolder)/00000000000000ff.seg") == 0)
        #expect(symlink(try self.spoolFolder(outside), "\(directory.path)/\(SpoolFolder.prefix)link") == 0)
        for path in [file, "\(spoolFolder)/lock", spoolFolder, directory.path] {
            #expect(chown(path, 12_345, 12_345) == 0)
        }
        let rig = try await self.rescue(directory, atLeast: 3)
        #expect(rig.transport.logs.map { $0["message"] } == ["0", "1", "2"])
        #expect(outside.holding.count == 1)
        await rig.producer.shutdown(timeout: .zero)
        // What an ordinary start makes of the same is told.
        unlink("\(spoolFolder)/00000000000000ff.seg")
        unlink("\(directory.path)/\(SpoolFolder.prefix)link")
    }

    @Test(.enabled(if: isRoot, "only root can read what is another user's"))
    func aRescueByRootInAnotherUsersDirectoryAsksForNoSpoolOfItsOwn() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(3, in: directory)
        let spoolFolder = try self.spoolFolder(directory)
        for path in directory.files + ["\(spoolFolder)/lock", spoolFolder, directory.path] {
            #expect(chown(path, 12_345, 12_345) == 0)
        }
        let rig = try await self.rescue(directory, atLeast: 3)
        rig.sink().info("own")
        await rig.run(inStepsOf: .seconds(2)) { rig.producer.statistics.pending == 0 }
        await rig.producer.shutdown(timeout: .zero)
        let lines = rig.diagnostics.elements.map { "\($0)" }
        let troubles = lines.filter { $0.contains("chown") || $0.contains("spool to") }
        #expect(troubles == [])
        #expect(rig.transport.logs.count == 4 && !rig.producer.statistics.isSpoolUnavailable)
    }

    @Test(.enabled(if: isRoot, "only root can read what is another user's"))
    func whatRootSetsAsideForAnotherUserBelongsToThatUser() async throws {
        let directory = SpoolDirectory()
        try await SpoolTests.leave(50, in: directory)
        let file = try #require(directory.holding.first)
        var bytes = directory.contents(of: file)
        bytes[bytes.count - 40 * Mark.size + 4] ^= 1
        directory.overwrite(file, with: bytes)
        for path in [file, try self.spoolFolder(directory), directory.path] {
            #expect(chown(path, 12_345, 12_345) == 0)
        }
        let rig = try await self.rescue(directory, atLeast: 30)
        #expect((30..<50).contains(rig.transport.logs.count))
        await rig.run(inStepsOf: .zero) { !directory.damaged.isEmpty }
        let name = try #require(directory.damaged.first)
        for path in ["\(directory.path)/damaged", "\(directory.path)/damaged/\(name)"] {
            #expect(try FileSystem.entry(path).user == 12_345)
        }
        await rig.producer.shutdown(timeout: .zero)
    }
}
