// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "thread_usage.h"

#include <sys/resource.h>

struct thread_usage thread_usage_read(void) {
    struct thread_usage usage = {0, 0};
#if defined(RUSAGE_THREAD)
    struct rusage all;
    if (getrusage(RUSAGE_THREAD, &all) == 0) {
        usage.preemptions = (uint64_t)all.ru_nivcsw;
        usage.waits = (uint64_t)all.ru_nvcsw;
    }
#endif
    return usage;
}
