/* SPDX-License-Identifier: MIT
 *
 * String contexts: sets of references to store objects, hash-consed, named by a small id, so
 * that a string carries 4 bytes and the union of two contexts is usually a table hit.
 *
 * An element is the text Nix uses inside: "/nix/store/…" (an opaque path), "=/nix/store/….drv"
 * (a derivation with its whole closure), "!out!/nix/store/….drv" (an output of a derivation).  The sets live
 * as long as the process, for all its sessions: what an id means depends on the bytes alone.
 */
#ifndef EVAL_CONTEXT_H
#define EVAL_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

struct str;

/* The context with just this element; never 0. */
uint32_t ctx_single(const char *elem, size_t n);

/* The union; 0 is the empty context. */
uint32_t ctx_union(uint32_t a, uint32_t b);

/* Collects contexts while a string is put together and makes their union once, at the end: n
 * additions in a row would intern every prefix of the result.  Starts zeroed; lives on the C stack or the
 * collected heap. */
struct ctx_acc {
	uint32_t n, cap;
	uint32_t *ids;
	uint32_t one[4];
};
void ctx_acc_add(struct ctx_acc *a, uint32_t c);
uint32_t ctx_acc_finish(struct ctx_acc *a);

/* How many elements, and the i-th in byte order (borrowed, NUL-terminated). */
size_t ctx_count(uint32_t c);
const struct str *ctx_element(uint32_t c, size_t i);

enum ctx_kind { CTX_OPAQUE, CTX_DRV_DEEP, CTX_BUILT };

/* An element taken apart: its kind, the store path, and the output's name for CTX_BUILT.
 * Pointers go into the element. */
struct ctx_elem {
	enum ctx_kind kind;
	const char *path;
	size_t path_len;
	const char *output;
	size_t output_len;
};
void ctx_parse(const struct str *elem, struct ctx_elem *out);

#endif
