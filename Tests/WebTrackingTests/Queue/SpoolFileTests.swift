// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import WebTrackingPlatform

@testable import WebTracking

@Suite(.timeLimit(.minutes(5))) struct SpoolFileTests {
    private static func folder(in directory: SpoolDirectory) throws -> SpoolFolder {
        try FileSystem.makeDirectory(directory.path)
        return try #require(try SpoolFolder.make(in: directory.path, name: "1-1", access: SpoolAccess(.owner)))
    }

    // The number is the process's, so this has one of its own.
    @Test func noMoreFilesAreMadeThanLeaveRoomForThoseToSendAndForTheProgramsMemory() async {
        await #expect(processExitsWith: .success) {
            let directory = SpoolDirectory()
            let spoolFolder = try Self.folder(in: directory)
            func make(_ number: Int) throws(FileError) -> SpoolFile {
                try SpoolFile.make("\(spoolFolder.path)/\(number).seg", capacity: 16, spoolFolder: spoolFolder)
            }
            var files: [SpoolFile] = []
            for number in 0..<SpoolFile.mostMapped - SpoolFile.mappedForSending {
                #expect(SpoolFile.mayMake)
                files.append(try make(number))
            }
            #expect(!SpoolFile.mayMake)
            let error = #expect(throws: FileError.self) { try make(-1) }
            #expect(error?.code == ENOMEM)
            #expect(try FileSystem.names(in: spoolFolder.path).count == files.count + 1)
            // What waits can be mapped all the same, so that it is sent and makes room.
            files[0].unmap()
            let more = try make(-2)
            #expect(try files[0].map() == files[0].page)
            #expect(!SpoolFile.mayMake)
            more.unmap()
            files[1].unmap()
            #expect(SpoolFile.mayMake)
        }
    }

    @Test func aFileThatWentWithItsSettledRecordsIsNotLost() throws {
        let directory = SpoolDirectory()
        let spoolFolder = try Self.folder(in: directory)
        let file = try SpoolFile.make("\(spoolFolder.path)/1.seg", capacity: 16, spoolFolder: spoolFolder)
        #expect(!file.isLost)
        file.isReleased.store(true, ordering: .relaxed)
        file.remove()
        #expect(!file.isLost)
        file.isReleased.store(false, ordering: .relaxed)
        #expect(file.isLost)
    }
}
