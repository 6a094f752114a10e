//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import GRDB

/// The tables, for those who open the file with other tools as well.
enum StoreSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { database in
            // Times are microseconds since 1970; tags and fields are JSON objects in the order of the request.
            try database.execute(
                sql: """
                    CREATE TABLE requests (
                        id INTEGER PRIMARY KEY,
                        received_at INTEGER NOT NULL,
                        project TEXT NOT NULL,
                        logstore TEXT NOT NULL,
                        topic TEXT NOT NULL,
                        source TEXT NOT NULL,
                        tags TEXT NOT NULL,
                        raw_bytes INTEGER NOT NULL,
                        wire_bytes INTEGER NOT NULL,
                        compression TEXT NOT NULL,
                        log_count INTEGER NOT NULL
                    );
                    CREATE INDEX requests_by_topic ON requests (logstore, topic);
                    CREATE TABLE logs (
                        id INTEGER PRIMARY KEY,
                        request_id INTEGER NOT NULL REFERENCES requests (id),
                        position INTEGER NOT NULL,
                        fields TEXT NOT NULL,
                        UNIQUE (request_id, position)
                    );
                    """
            )
        }
        return migrator
    }
}
