// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdint.h>

/// How often the calling thread has asked for memory since it began, by malloc, calloc, realloc and the aligned forms.
///
/// Linked into an executable, this library's definitions of those functions take the place of the C library's, for the
/// Swift runtime and all other libraries, too. They count and pass the call on.
uint64_t allocation_counter_read(void);

#endif
