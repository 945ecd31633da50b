/* SPDX-License-Identifier: MIT
 *
 * Registries of Rust's crates: the file of one lies where the registry's index says, in a file config.json.  Nothing is believed of
 * one: whoever fetches a file knows its hash, from a Cargo.lock.
 */
#ifndef FETCH_CRATES_H
#define FETCH_CRATES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* Appends where the crates of the user's registry lie, as `dl` in a config.json, read before a builder is confined: the setting
 * crates-registry, else what the cargo of this machine is told by the registry that it asks; nothing without one. */
void crates_registry(struct buf *out);

/* Appends the value of `dl` in the text of a config.json; 0 when there is none. */
int crates_configured(struct slice text, struct buf *out);

/* Appends the address of a crate, "NAME/VERSION", of a registry (none: ""). */
int crates_address(const char *registry, struct slice crate, struct buf *out, struct err *e);

#endif
