/* SPDX-License-Identifier: MIT
 *
 * Between drv.c, aterm.c and modulo.c only.
 */
#ifndef FORMAT_DRV_INT_H
#define FORMAT_DRV_INT_H

#include "format/drv.h"

/* An input as the hash modulo names it: by its own hash. */
struct drv_hashed_input {
	uint8_t hash[HASH_SHA256_LEN];
	const struct slice *outputs;
	size_t noutputs;
};

/* What stands for the inputs, and whether the outputs' own paths are blanked. */
struct drv_form {
	const struct drv_hashed_input *inputs;
	size_t ninputs;
	int hashed; /* use inputs above instead of the derivation's own */
	int masked;
	struct slice rest; /* what follows the inputs, from an earlier text; p NULL: not known */
	size_t *cuts;	   /* masked, into a buffer: where in it each output's variable is empty; NULL: not wanted */
};

/* The text in that form, appended to a buffer or fed to a hash.  Writing returns the offset in b of what follows the
 * inputs: most of the text, and the same with the inputs hashed. */
size_t drv_write_form(struct buf *b, const struct drv *d, const struct drv_form *f);
void drv_hash_form(struct hash_ctx *h, const struct drv *d, const struct drv_form *f);

/* The same as drv_write of d, whose outputs have got their paths, from the masked form of d: what follows its inputs, at
 * `rest`, is copied, with a path at each cut. */
size_t drv_write_unmasked(struct buf *b, const struct drv *d, const struct buf *masked, size_t rest, const size_t *cuts);

/* A copy in the derivation's arena. */
struct slice drv_dup(struct drv *d, struct slice s);

/* Grows a malloc'd array of elements of `size` bytes by one; returns the zeroed new element. */
void *drv_push(void *array, size_t *n, size_t *cap, size_t size);

/* Sorts slices into byte order and drops repeats; returns how many are left. */
size_t drv_sort_slices(struct slice *s, size_t n);

#endif
