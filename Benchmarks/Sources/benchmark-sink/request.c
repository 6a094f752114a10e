// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "request.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

// No request is larger before compression; the limit of the service.
enum { MAXIMUM_RAW_BYTES = 10 << 20 };

/// The value of a header line, if it has this name (given with its colon).
static const char *value_of(const char *line, const char *end, const char *name) {
    size_t length = strlen(name);
    if ((size_t)(end - line) < length || strncasecmp(line, name, length) != 0) return NULL;
    line += length;
    while (line < end && *line == ' ') line += 1;
    return line;
}

int request_parse(const char *bytes, size_t length, struct request *request) {
    memset(request, 0, sizeof *request);
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL) return length > 64 << 10 ? -1 : 0;
    request->head_size = (size_t)(end - bytes) + 4;
    request->is_totals = strncmp(bytes, "GET /totals", 11) == 0;
    if (!request->is_totals && strncmp(bytes, "POST ", 5) != 0) return -1;
    const char *line = memchr(bytes, '\n', request->head_size);
    while (line != NULL && line < end) {
        const char *value;
        line += 1;
        if ((value = value_of(line, end, "content-length:")) != NULL) request->body_size = strtoul(value, NULL, 10);
        if ((value = value_of(line, end, "x-log-bodyrawsize:")) != NULL) request->raw_size = strtoul(value, NULL, 10);
        if ((value = value_of(line, end, "x-log-compresstype:")) != NULL) {
            request->compression = strncmp(value, "lz4", 3) == 0 ? COMPRESSION_LZ4 : COMPRESSION_DEFLATE;
        }
        if (value_of(line, end, "expect:") != NULL) request->expects_continue = 1;
        if (value_of(line, end, "transfer-encoding:") != NULL) return -1;
        line = memchr(line, '\n', (size_t)(end - line));
    }
    if (request->raw_size > MAXIMUM_RAW_BYTES || request->body_size > MAXIMUM_RAW_BYTES) return -1;
    return 0;
}

/// Records are separated by line feeds, which JSON escapes everywhere else.
static uint64_t count_records(const char *raw, size_t size) {
    static const char members[] = "\"__logs__\":[";
    if (memmem(raw, size, members, sizeof members - 1) == NULL) return 0;
    uint64_t feeds = 0;
    for (size_t index = 0; index < size; index += 1) feeds += raw[index] == '\n';
    return feeds + 1;
}

int request_take(const struct request *request, const char *body, struct totals *totals) {
    static char raw[MAXIMUM_RAW_BYTES];
    const char *bytes = raw;
    size_t size = request->raw_size;
    switch (request->compression) {
    case COMPRESSION_NONE:
        bytes = body;
        size = request->body_size;
        break;
    case COMPRESSION_LZ4:
        if (LZ4_decompress_safe(body, raw, (int)request->body_size, (int)size) != (int)size) return -1;
        break;
    case COMPRESSION_DEFLATE: {
        uLongf written = sizeof raw;
        if (uncompress((Bytef *)raw, &written, (const Bytef *)body, request->body_size) != Z_OK) return -1;
        if (written != size) return -1;
        break;
    }
    }
    uint64_t records = count_records(bytes, size);
    if (records == 0) return -1;
    totals->requests += 1;
    totals->records += records;
    totals->raw_bytes += size;
    totals->wire_bytes += request->body_size;
    return 0;
}
