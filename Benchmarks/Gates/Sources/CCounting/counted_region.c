// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#include "counted_region.h"

__attribute__((noinline)) void counted_region(void (*body)(void *context), void *context) {
    body(context);
    // No tail call, which would leave the region at once.
    __asm__ volatile("" ::: "memory");
}
