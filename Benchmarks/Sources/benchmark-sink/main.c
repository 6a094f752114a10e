// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// The cheapest endpoint that still looks at what it gets: one thread, epoll, loopback, keep-alive. It decompresses every
// body, counts its records, and answers 200 with a request id. GET /totals tells what it has taken. It prints its port and
// ends at the end of its standard input, so it never outlives whoever started it.

#define _GNU_SOURCE
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    int descriptor;
    char *bytes;
    size_t length;
    size_t capacity;
    int has_continued;
};

static struct totals totals;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on_loopback(void) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, size) != 0) fail("bind");
    if (listen(descriptor, 1024) != 0) fail("listen");
    if (getsockname(descriptor, (struct sockaddr *)&address, &size) != 0) fail("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return descriptor;
}

static void watch(int epoll, int descriptor, void *context) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = context};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
}

static void close_connection(struct connection *connection) {
    close(connection->descriptor);
    free(connection->bytes);
    free(connection);
}

/// Answers are a few hundred bytes, which a socket always has room for.
static int answer(const struct connection *connection, const char *text) {
    size_t length = strlen(text);
    return send(connection->descriptor, text, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

static int answer_totals(const struct connection *connection) {
    char body[256], text[512];
    int length = snprintf(
        body, sizeof body,
        "{\"requests\":%llu,\"records\":%llu,\"raw_bytes\":%llu,\"wire_bytes\":%llu,\"bad\":%llu}\n",
        (unsigned long long)totals.requests, (unsigned long long)totals.records,
        (unsigned long long)totals.raw_bytes, (unsigned long long)totals.wire_bytes, (unsigned long long)totals.bad);
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, body);
    return answer(connection, text);
}

static int answer_post(const struct connection *connection, const struct request *request) {
    char text[256];
    if (request_take(request, connection->bytes + request->head_size, &totals) != 0) {
        totals.bad += 1;
        return answer(connection, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    }
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nx-log-requestid: %llu\r\nContent-Length: 0\r\n\r\n",
             (unsigned long long)totals.requests);
    return answer(connection, text);
}

/// Handles the complete requests among what has come. Returns -1 if the connection is of no more use.
static int handle(struct connection *connection) {
    struct request request;
    while (connection->length > 0) {
        if (request_parse(connection->bytes, connection->length, &request) != 0) return -1;
        if (request.head_size == 0) return 0;
        size_t size = request.head_size + request.body_size;
        if (connection->length < size) {
            if (request.expects_continue && !connection->has_continued) {
                connection->has_continued = 1;
                if (answer(connection, "HTTP/1.1 100 Continue\r\n\r\n") != 0) return -1;
            }
            if (connection->capacity < size) {
                connection->bytes = realloc(connection->bytes, size);
                connection->capacity = size;
                if (connection->bytes == NULL) fail("realloc");
            }
            return 0;
        }
        connection->has_continued = 0;
        if ((request.is_totals ? answer_totals(connection) : answer_post(connection, &request)) != 0) return -1;
        connection->length -= size;
        memmove(connection->bytes, connection->bytes + size, connection->length);
    }
    return 0;
}

/// Reads once. Returns -1 at the end of the connection.
static int receive(struct connection *connection) {
    if (connection->length == connection->capacity) {
        connection->capacity = connection->capacity == 0 ? 512 << 10 : connection->capacity * 2;
        connection->bytes = realloc(connection->bytes, connection->capacity);
        if (connection->bytes == NULL) fail("realloc");
    }
    ssize_t count = recv(connection->descriptor, connection->bytes + connection->length,
                         connection->capacity - connection->length, MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (count == 0) return -1;
    connection->length += (size_t)count;
    return handle(connection);
}

static void accept_connection(int epoll, int listener) {
    int one = 1;
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) fail("calloc");
    connection->descriptor = descriptor;
    watch(epoll, descriptor, connection);
}

int main(void) {
    static int input, listening;
    int listener = listen_on_loopback();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) fail("epoll_create1");
    watch(epoll, listener, &listening);
    watch(epoll, STDIN_FILENO, &input);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int index = 0; index < count; index += 1) {
            void *context = events[index].data.ptr;
            char ignored[64];
            if (context == &input) {
                if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0) return 0;
            } else if (context == &listening) {
                accept_connection(epoll, listener);
            } else if (receive(context) != 0) {
                close_connection(context);
            }
        }
    }
}
