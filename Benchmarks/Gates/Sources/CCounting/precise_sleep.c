//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "precise_sleep.h"

#if defined(__linux__)
#include <sys/prctl.h>

void precise_sleep_enable(void) { prctl(PR_SET_TIMERSLACK, 1UL); }
#else
void precise_sleep_enable(void) {}
#endif
