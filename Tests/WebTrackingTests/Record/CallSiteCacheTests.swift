// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

/// The cache of call sites against a dictionary that keeps all of them: what it answers is what was kept for that very
/// statement and encoder, whatever shared its place in between.
@Suite(.timeLimit(.minutes(10))) struct CallSiteCacheTests {
    private struct Site: Hashable {
        var file: String
        var function: String
        var line: UInt
        var encoder: UInt64
    }

    private static func append(_ site: Site, from cache: borrowing CallSiteCache) -> [UInt8]? {
        var writer = ByteWriter(capacity: 64)
        writer.append(literal: "before")
        let isFound = cache.append(
            file: site.file,
            function: site.function,
            line: site.line,
            encoder: site.encoder,
            to: &writer
        )
        let written = writer.withBytes { Array($0) }
        #expect(written.starts(with: "before".utf8))
        if !isFound { #expect(written.count == 6) }
        return isFound ? Array(written.dropFirst(6)) : nil
    }

    private static func keep(_ members: [UInt8], for site: Site, in cache: inout CallSiteCache) {
        members.withUnsafeBytes {
            cache.keep($0, file: site.file, function: site.function, line: site.line, encoder: site.encoder)
        }
    }

    /// Names of few lengths with few different bytes, so that many differ in one byte alone.
    private static func name(_ random: inout SeededGenerator) -> String {
        let length = [0, 1, 7, 8, 9, 15, 16, 17, 31].randomElement(using: &random) ?? 0
        var name = Array(repeating: UInt8(ascii: "m"), count: length)
        if length > 0 {
            name[Int.random(in: 0..<length, using: &random)] = UInt8.random(in: 0x61...0x63, using: &random)
        }
        return String(decoding: name, as: UTF8.self)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func whatIsFoundIsWhatWasKeptForThatStatement(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var cache = CallSiteCache()
        var kept: [Site: [UInt8]] = [:]
        let sites = (0..<Int.random(in: 1...600, using: &random)).map { _ in
            Site(
                file: Self.name(&random),
                function: Self.name(&random),
                line: UInt.random(in: 0..<200, using: &random),
                encoder: UInt64.random(in: 1...2, using: &random)
            )
        }
        var found = 0
        for _ in 0..<4000 {
            let site = sites.randomElement(using: &random) ?? sites[0]
            if let members = Self.append(site, from: cache) {
                #expect(members == kept[site])
                found += 1
                continue
            }
            let members = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
                UInt8.random(in: 0 ... .max, using: &random)
            }
            Self.keep(members, for: site, in: &cache)
            kept[site] = members
            #expect(Self.append(site, from: cache) == members)
        }
        #expect(found > 0)
    }

    @Test func aTextThatIsTooLongIsNotKeptAndDoesNoHarm() {
        var cache = CallSiteCache()
        let site = Site(file: "Module/File.swift", function: "function()", line: 7, encoder: 1)
        Self.keep([1, 2, 3], for: site, in: &cache)
        var long = site
        long.file = String(repeating: "x", count: 5000)
        Self.keep([4], for: long, in: &cache)
        #expect(Self.append(long, from: cache) == nil)
        #expect(Self.append(site, from: cache) == [1, 2, 3])
    }

    @Test func statementsOfOneFunctionCanAllBeKept() {
        var cache = CallSiteCache()
        let sites = [UInt](20..<30).flatMap { [$0, $0 + 31] }.map {
            Site(file: "Module/File.swift", function: "function()", line: $0, encoder: 1)
        }
        for _ in 0..<2 {
            for site in sites where Self.append(site, from: cache) == nil {
                Self.keep(Array("line \(site.line)".utf8), for: site, in: &cache)
            }
        }
        for site in sites { #expect(Self.append(site, from: cache) == Array("line \(site.line)".utf8)) }
    }
}
