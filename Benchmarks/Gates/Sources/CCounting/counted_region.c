//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "counted_region.h"

__attribute__((noinline)) void counted_region(void (*body)(void *context), void *context) {
    body(context);
    // No tail call, which would leave the region at once.
    __asm__ volatile("" ::: "memory");
}
