// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#include "precise_sleep.h"

#if defined(__linux__)
#include <sys/prctl.h>

void precise_sleep_enable(void) { prctl(PR_SET_TIMERSLACK, 1UL); }
#else
void precise_sleep_enable(void) {}
#endif
