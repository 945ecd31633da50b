/* SPDX-License-Identifier: MIT
 *
 * Serving a store of others: a client that came here is handed on to where it lies.
 */
#ifndef REMOTE_RELAY_H
#define REMOTE_RELAY_H

#include "remote/address.h"

/* Passes on what the client sends on `in`, and the answers to `out`, until either ends.  What it speaks is the protocol of the
 * address. */
int remote_relay(const struct remote_address *a, int in, int out, struct err *e);

#endif
