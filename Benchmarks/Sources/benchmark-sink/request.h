// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>
#include <stdint.h>

/// How a body is compressed.
enum compression { COMPRESSION_NONE, COMPRESSION_LZ4, COMPRESSION_DEFLATE };

/// What the sink needs to know of a request's head.
struct request {
    int is_totals;
    int expects_continue;
    enum compression compression;
    size_t raw_size;
    size_t body_size;
    /// The length of the head with the empty line; 0 while it is not complete.
    size_t head_size;
};

/// What the sink has taken so far.
struct totals {
    uint64_t requests;
    uint64_t records;
    uint64_t raw_bytes;
    uint64_t wire_bytes;
    uint64_t bad;
};

/// Reads the head at the beginning of `bytes`. Returns -1 if it is none.
int request_parse(const char *bytes, size_t length, struct request *request);

/// Decompresses a body, counts its records and adds them to `totals`; -1 if it is not what the head says.
int request_take(const struct request *request, const char *body, struct totals *totals);

#endif
