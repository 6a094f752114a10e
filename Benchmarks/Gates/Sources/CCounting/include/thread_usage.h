// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#ifndef THREAD_USAGE_H
#define THREAD_USAGE_H

#include <stdint.h>

/// How often the calling thread has left its processor.
struct thread_usage {
    /// Because the system gave the processor to another thread.
    uint64_t preemptions;
    /// Because it had to wait: for a lock, a page or a sleep's end.
    uint64_t waits;
};

/// What has been so far; zeros where the system does not tell.
struct thread_usage thread_usage_read(void);

#endif
