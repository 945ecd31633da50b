/* SPDX-License-Identifier: MIT
 *
 * Registries of npm packages: a file lies at REGISTRY/NAME/-/FILE.  Nothing is believed of one: whoever fetches a file knows its
 * hash.
 */
#ifndef FETCH_NPM_H
#define FETCH_NPM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* Appends the address of the registry that the user has chosen, read before a builder is confined: the setting npm-registry, else
 * as npm does, npm_config_registry, `registry` in the user's .npmrc, and what the npm of this machine says (half a second); nothing
 * without one. */
void npm_registry(struct buf *out);

/* Appends the value of `registry` in the text of an .npmrc, the last one; 0 when there is none. */
int npm_configured(struct slice text, struct buf *out);

/* Appends the address of a file, "NAME/-/FILE", of a registry (none: ""). */
int npm_address(const char *registry, struct slice file, struct buf *out, struct err *e);

#endif
