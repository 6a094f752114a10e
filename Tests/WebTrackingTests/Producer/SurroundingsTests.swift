// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// What a producer says at its start of what there is around it.
@Suite(.timeLimit(.minutes(10))) struct SurroundingsTests {
    private static func configuration(
        _ change: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) -> WebTrackingConfiguration {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.durability = .process
        configuration.spool.directory = "/spool"
        change(&configuration)
        return configuration
    }

    /// The codes, in their order, and the lines.
    private static func problems(
        _ surroundings: Surroundings,
        _ configuration: WebTrackingConfiguration = Self.configuration()
    ) -> [(code: EnvironmentProblem, line: String)] {
        surroundings.problems(for: configuration).compactMap { diagnostic in
            guard case .environment(let code, _, _) = diagnostic else { return nil }
            return (code, diagnostic.description)
        }
    }

    // MARK: Decided without a machine

    @Test func nothingIsSaidOfAnOrdinaryMachineNorOfWhatIsNotKnown() {
        #expect(Self.problems(Surroundings()).isEmpty)
        for type in ["ext4", "xfs", "btrfs", "overlay", "apfs", "zfs", "fuseblk", "fuse.fuse-overlayfs"] {
            #expect(Self.problems(Surroundings(spoolFileSystem: type, memoryLimit: 1 << 30)).isEmpty)
        }
    }

    @Test(arguments: ["tmpfs", "ramfs"]) func aSpoolInMemoryIsSaid(type: String) {
        let problems = Self.problems(Surroundings(spoolFileSystem: type))
        #expect(problems.map(\.code) == [.spoolInMemory])
        #expect(
            problems.first?.line
                == "the spool /spool is in memory (\(type)): it counts as memory of the container and does not survive the "
                + "machine; use a volume on a disk [spool_in_memory]"
        )
        #expect(
            Self.problems(Surroundings(spoolFileSystem: type), Self.configuration { $0.durability = .memory }).isEmpty
        )
    }

    @Test(arguments: ["nfs", "nfs4", "cifs", "9p", "fuse.sshfs", "fuse", "ceph", "virtiofs", "smbfs"])
    func aSpoolOnANetworkIsSaid(type: String) {
        #expect(Self.problems(Surroundings(spoolFileSystem: type)).map(\.code) == [.spoolOnNetwork])
    }

    @Test func aLimitBelowWhatTheSettingsMayHoldIsSaid() {
        // 64 MiB, 8 requests of 3 MiB twice, and 4 MiB.
        #expect(Self.problems(Surroundings(memoryLimit: 116 << 20)).isEmpty)
        let problems = Self.problems(Surroundings(memoryLimit: 116 << 20 - 1))
        #expect(problems.map(\.code) == [.memoryLimit])
        #expect(
            Self.problems(Surroundings(memoryLimit: 100 << 20)).first?.line
                == "the control group allows 100 MiB, and the settings let logs alone use 64 MiB of memoryLimit + 52 MiB of "
                + "requests; raise the limit, or lower memoryLimit or delivery.maximumConcurrentRequests [memory_limit]"
        )
        let small = Self.configuration {
            $0.memoryLimit = 16 << 20
            $0.delivery.maximumConcurrentRequests = 2
        }
        #expect(Self.problems(Surroundings(memoryLimit: 100 << 20), small).isEmpty)
    }

    @Test func aSpoolInMemoryCountsForTheLimit() {
        let surroundings = Surroundings(spoolFileSystem: "tmpfs", memoryLimit: 1 << 30)
        let problems = Self.problems(surroundings)
        #expect(problems.map(\.code) == [.spoolInMemory, .memoryLimit])
        #expect(problems.last?.line.contains("1024 MiB of a spool in memory") ?? false)
        let small = Self.configuration { $0.spool.maximumBytes = 64 << 20 }
        #expect(Self.problems(surroundings, small).map(\.code) == [.spoolInMemory])
    }

    @Test func aSpoolInMemoryCountsForNoMoreThanItsFileSystemHolds() {
        var surroundings = Surroundings(spoolFileSystem: "tmpfs", memoryLimit: 1 << 30)
        surroundings.spoolFileSystemBytes = 64 << 20
        #expect(Self.problems(surroundings).map(\.code) == [.spoolInMemory])
    }

    @Test func aRescueTakesFilesWhereTheyAre() {
        for type in ["tmpfs", "nfs"] {
            let rescue = Self.configuration { $0.spool.isRescue = true }
            #expect(Self.problems(Surroundings(spoolFileSystem: type), rescue).isEmpty)
        }
    }

    @Test func theVariableIsTheOneThatTheTransportReads() {
        var surroundings = Surroundings(missingAuthorities: ["/a"])
        surroundings.authoritiesVariable = "OTHER"
        #expect(Self.problems(surroundings).first?.line.contains("in OTHER [") ?? false)
    }

    @Test func missingAuthoritiesAreSaidWhereTheyAreNeeded() {
        let surroundings = Surroundings(missingAuthorities: ["/a", "/b"])
        #expect(
            Self.problems(surroundings).map(\.line) == [
                "no certificate authorities in /a, /b, and the endpoint is https; install them (apt-get install "
                    + "ca-certificates), or name a file with them in SSL_CERT_FILE [no_certificates]"
            ]
        )
        #expect(Self.problems(surroundings, Self.configuration { $0.endpoint = "http://localhost:8080" }).isEmpty)
    }

    @Test func theLastAndLongestMountSaysTheFileSystem() {
        let table = MountTable(
            """
            22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            23 22 0:20 / /var/lib rw shared:2 master:3 - xfs /dev/vdb rw
            24 23 0:21 / /var/lib/my\\040spool rw - tmpfs tmpfs rw,size=64k
            25 22 0:22 / /mnt rw - nfs4 host:/x rw
            26 25 0:23 / /mnt rw - fuse.sshfs host:/y rw
            broken line
            """
        )
        #expect(table.fileSystem(of: "/srv/spool") == "ext4")
        #expect(table.fileSystem(of: "/var/library") == "ext4")
        #expect(table.fileSystem(of: "/var/lib") == "xfs")
        #expect(table.fileSystem(of: "/var/lib/my spool/a") == "tmpfs")
        #expect(table.fileSystem(of: "/mnt/a") == "fuse.sshfs")
        #expect(MountTable("").fileSystem(of: "/") == nil)
    }

    @Test func aMountOnADirectoryAboveHidesWhatWasMountedBelowItBefore() {
        let table = MountTable(
            """
            1 1 0:1 / / rw - rootfs rootfs rw
            22 1 253:0 / / rw - ext4 /dev/vda rw
            23 22 0:20 / /var/lib rw - tmpfs tmpfs rw,size=64k
            24 22 0:21 / /var rw - xfs /dev/vdb rw
            25 22 0:22 / /mnt rw - nfs4 host:/x rw
            26 24 0:23 / /var/log rw - btrfs /dev/vdc rw
            """
        )
        #expect(table.fileSystem(of: "/var/lib/spool") == "xfs")
        #expect(table.fileSystem(of: "/var/log/a") == "btrfs")
        #expect(table.fileSystem(of: "/mnt/a") == "nfs4")
        #expect(table.fileSystem(of: "/srv") == "ext4")
        // What says of itself that it is its own parent's parent ends the walk.
        let ring = "1 9 0:1 / / rw - a a rw\n2 1 0:1 / / rw - b b rw\n1 2 0:1 / / rw - c c rw"
        #expect(MountTable(ring).fileSystem(of: "/") != nil)
    }

    @Test func aSourceMayBeEmpty() {
        let table = MountTable("22 1 0:20 / /var/lib rw - tmpfs  rw,size=64k\n")
        #expect(table.fileSystem(of: "/var/lib/spool") == "tmpfs")
    }

    @Test func theLimitsOfAControlGroupAndOfThoseAroundItAreLookedFor() {
        let second = MountTable("30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n")
        #expect(
            second.memoryLimitFiles(cgroup: "0::/kubepods/pod1/c\n") == [
                "/sys/fs/cgroup/kubepods/pod1/c/memory.max", "/sys/fs/cgroup/kubepods/pod1/memory.max",
                "/sys/fs/cgroup/kubepods/memory.max", "/sys/fs/cgroup/memory.max",
            ]
        )
        #expect(second.memoryLimitFiles(cgroup: "0::/\n") == ["/sys/fs/cgroup/memory.max"])
        let first = MountTable(
            """
            31 23 0:27 /docker/a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
            32 23 0:28 /docker/a /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu
            """
        )
        let text = "5:cpu:/docker/a\n4:hugetlb,memory:/docker/a/b\n0::/\n"
        #expect(
            first.memoryLimitFiles(cgroup: text) == [
                "/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            ]
        )
        // Beside its own, a container may have the host's.
        let two = MountTable(
            """
            30 23 0:26 /kubepods/pod1 /sys/fs/cgroup ro - cgroup2 cgroup rw
            40 23 0:26 /../.. /host/sys/fs/cgroup ro - cgroup2 cgroup rw
            """
        )
        #expect(
            two.memoryLimitFiles(cgroup: "0::/kubepods/pod1/c\n") == [
                "/sys/fs/cgroup/c/memory.max", "/sys/fs/cgroup/memory.max",
            ]
        )
        // What is mounted is not what the process is in, as far as it is told.
        #expect(
            first.memoryLimitFiles(cgroup: "4:memory:/other\n") == ["/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        )
    }

    private static func answer(_ date: String?, isOfService: Bool = true) -> TransportResponse {
        let headers = (isOfService ? [("x-log-requestid", "1")] : []) + (date.map { [("Date", $0)] } ?? [])
        return TransportResponse(status: 200, headers: headers, body: [])
    }

    @Test func aClockFarFromTheServicesIsSaidOnce() {
        let watch = ClockWatch()
        let noon = "Thu, 01 Jan 2026 12:00:00 GMT"
        let wallTime = Rig.start + 12 * 3_600_000_000_000
        for minutes in [-5, 0, 5] as [Int64] {
            #expect(
                watch.note(
                    Self.answer(noon),
                    sentAt: wallTime + minutes * 60_000_000_000,
                    receivedAt: wallTime + minutes * 60_000_000_000
                ) == nil
            )
        }
        let far = wallTime + 20 * 60_000_000_000
        #expect(watch.note(Self.answer(noon, isOfService: false), sentAt: far, receivedAt: far) == nil)
        #expect(watch.note(Self.answer(nil), sentAt: far, receivedAt: far) == nil)
        #expect(watch.note(Self.answer("Thu, 01 Jan 1970 12:00:00 GMT"), sentAt: far, receivedAt: far) == nil)
        #expect(
            watch.note(Self.answer(noon), sentAt: far, receivedAt: far)?.description
                == "this machine's clock is 1200 s ahead of the service's; correct it (timedatectl), or times in the log and "
                + "the age of records in a spool are wrong [clock_difference]"
        )
        #expect(watch.note(Self.answer(noon), sentAt: far, receivedAt: far) == nil)
        let behind = ClockWatch().note(
            Self.answer(noon),
            sentAt: wallTime - 301_000_000_000,
            receivedAt: wallTime - 301_000_000_000
        )
        #expect(behind?.description.contains("is 301 s behind the service's") ?? false)
    }

    @Test func aProcessThatStoodStillBetweenRequestAndAnswerHasNoWrongClock() {
        let noon = "Thu, 01 Jan 2026 12:00:00 GMT"
        let wallTime = Rig.start + 12 * 3_600_000_000_000
        let hour: Int64 = 3_600_000_000_000
        for (sentAt, receivedAt) in [(wallTime, wallTime + hour), (wallTime - hour, wallTime)] {
            #expect(ClockWatch().note(Self.answer(noon), sentAt: sentAt, receivedAt: receivedAt) == nil)
        }
        let late = ClockWatch().note(Self.answer(noon), sentAt: wallTime + hour, receivedAt: wallTime + 2 * hour)
        #expect(late?.description.contains("is 3600 s ahead") ?? false)
    }

    @Test func aProducerSaysThatItsClockIsWrongAtTheFirstAnswerThatShowsIt() async throws {
        let answer = InMemoryTransport.Reply.response(Self.answer("Thu, 01 Jan 2026 01:00:00 GMT"))
        let rig = try Rig(transport: InMemoryTransport(otherwise: answer))
        rig.sink().info("m")
        await rig.drain()
        let lines = rig.diagnostics.elements.map(\.description)
        #expect(lines.count { $0.contains("is 3600 s behind") && $0.contains("[clock_difference]") } == 1)
        await rig.stop()
    }

    // MARK: Seen on this machine

    #if os(Linux)
    @Test(.enabled(if: access("/dev/shm", W_OK) == 0, "needs /dev/shm"))
    func aRealDirectoryInMemoryIsFound() {
        #expect(SurroundingsReader.fileSystem(of: "/dev/shm/spool/that/is/not/there") == "tmpfs")
        #expect(SurroundingsReader.fileSystem(of: "/proc/self") == "proc")
        var status = statvfs()
        #expect(statvfs("/dev/shm", &status) == 0)
        let bytes = SurroundingsReader.bytesOfFileSystem(of: "/dev/shm/spool/that/is/not/there")
        #expect(bytes == (status.f_blocks == 0 ? nil : Int(status.f_blocks) * Int(status.f_frsize)))
    }

    private static let groups = "/sys/fs/cgroup/memory"

    @Test(.enabled(if: access("\(Self.groups)/memory.limit_in_bytes", W_OK) == 0, "needs to make control groups"))
    func theLimitOfARealControlGroupIsFoundAlsoFromAGroupInIt() throws {
        let outer = "\(Self.groups)/webtracking-\(getpid())"
        let inner = "\(outer)/inner"
        defer {
            rmdir(inner)
            rmdir(outer)
        }
        try #require(mkdir(outer, 0o755) == 0 && mkdir(inner, 0o755) == 0)
        try Self.write("\(64 << 20)", to: "\(outer)/memory.limit_in_bytes")
        let sleeper = try #require(Program("sleep")).start(["600"])
        defer { Program.kill(sleeper) }
        try Self.write("\(sleeper.processIdentifier)", to: "\(inner)/cgroup.procs")
        #expect(SurroundingsReader.memoryLimit(of: "\(sleeper.processIdentifier)") == 64 << 20)
    }

    private static func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        try #require(fclose(file) == 0)
    }
    #endif

    @Test func aProducerSaysItOnceWhenItStarts() async throws {
        let directory = SpoolDirectory()
        let reported = Recorder<ProducerDiagnostic>()
        let producer = try WebTrackingProducer(
            configuration: Self.configuration {
                $0.spool.directory = directory.path
                $0.memoryLimit = 1 << 40
            },
            transport: WithoutAuthorities(),
            diagnostics: DiagnosticHandler { reported.add($0) }
        )
        func codes() -> [EnvironmentProblem] {
            reported.elements.compactMap { if case .environment(let code, _, _) = $0 { code } else { nil } }
        }
        while !codes().contains(.noCertificates), !Task.isCancelled { await Task.yield() }
        await producer.shutdown(timeout: .seconds(1))
        #expect(codes().filter { $0 == .noCertificates }.count == 1)
    }

    private struct WithoutAuthorities: WebTrackingTransport, AuthoritiesUser {
        var missingAuthorities: [String]? { ["/nowhere"] }
        var authoritiesVariable: String { "NONE" }
        func send(_ request: TransportRequest) async throws -> TransportResponse { throw TransportError.timedOut }
        func shutdown() async {}
    }
}
