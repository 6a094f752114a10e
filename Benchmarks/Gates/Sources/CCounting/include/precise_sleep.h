// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#ifndef PRECISE_SLEEP_H
#define PRECISE_SLEEP_H

/// Makes the calling thread's sleeps end when they should, not up to 50 us later when it suits the system.
void precise_sleep_enable(void);

#endif
