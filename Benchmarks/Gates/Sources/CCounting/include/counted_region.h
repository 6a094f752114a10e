// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#ifndef COUNTED_REGION_H
#define COUNTED_REGION_H

/// Calls `body` with `context`; callgrind counts inside this function, which has one name and no specialised copies.
void counted_region(void (*body)(void *context), void *context);

#endif
