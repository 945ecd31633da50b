/* SPDX-License-Identifier: MIT
 *
 * What is computed from a derivation: its hash modulo fixed outputs, its output paths, its own
 * store path, and the placeholders that stand for paths not known yet.
 *
 * drv_finish is all an evaluator needs per derivation.
 */
#ifndef FORMAT_MODULO_H
#define FORMAT_MODULO_H

#include "format/drv.h"

enum drv_modulo_kind {
	DRV_MODULO_HASH,    /* one hash stands for the derivation */
	DRV_MODULO_FIXED,   /* the hash stands for its one output, "out" */
	DRV_MODULO_DEFERRED /* unknown before something is built; hash is zero */
};

struct drv_modulo {
	enum drv_modulo_kind kind;
	uint8_t hash[HASH_SHA256_LEN];
};

/* The memory of hashes already computed, kept by the caller: get answers for the derivation at path (full text),
 * from a table, or by reading the .drv and calling drv_modulo, or fails with a negative code. */
struct drv_cache {
	int (*get)(void *user, struct slice path, struct drv_modulo *out, struct err *e);
	void *user;
};

/* Does all of it for a derivation that is filled in but for the paths of its outputs: sorts; computes output
 * paths (DRV_DEFERRED becomes DRV_INPUT unless an input is deferred; DRV_FIXED gets its path); sets the environment
 * variable of each output to its path (floating: its placeholder; deferred: ""); appends the text to `text` (may be
 * NULL); computes the path of the .drv and the hash modulo to remember under it.  path and m may be NULL, c when
 * there are no inputs. */
int drv_finish(struct drv *d, struct slice dir, const struct drv_cache *c, struct buf *text, struct store_path *path,
	       struct drv_modulo *m, struct err *e);

/* The hash modulo of a finished derivation, as its users see it. */
int drv_modulo(const struct drv *d, const struct drv_cache *c, struct drv_modulo *out, struct err *e);

/* The text that the masked hash is computed over, for explaining a path.  *deferred is set to 1, and nothing
 * appended, when there is none yet. */
int drv_write_masked(struct buf *b, const struct drv *d, const struct drv_cache *c, int *deferred, struct err *e);

/* Checks what a parsed derivation says of its outputs against what follows from the rest of it: paths of input-addressed
 * ones from the hash modulo, of fixed ones from their hash, the sum of a Go module, and the variables named after outputs.
 * path: of the .drv (full text), whose name must be the derivation's.  m: receives the hash modulo, may be NULL.
 * ERR_INVALID names the first thing that differs; what c says when an input is not known. */
int drv_check(const struct drv *d, struct slice dir, struct slice path, const struct drv_cache *c, struct drv_modulo *m,
	      struct err *e);

/* The path of the .drv whose text is `text`: a text object that refers to all inputs. */
int drv_path(const struct drv *d, struct slice dir, struct slice text, struct store_path *out, struct err *e);

/* --- placeholders: "/" and 52 digits --- */

enum { PLACEHOLDER_LEN = 53 };

/* builtins.placeholder: the derivation's own output. */
void placeholder_output(struct slice output, char out[PLACEHOLDER_LEN + 1]);

/* An output of another derivation whose path is not known before it is built; hash: receives the digest for
 * placeholder_dynamic, may be NULL.  ERR_INVALID when drv does not end in ".drv". */
int placeholder_upstream(const struct store_path *drv, struct slice output, char out[PLACEHOLDER_LEN + 1],
			 uint8_t hash[HASH_SHA256_LEN], struct err *e);

/* An output of a derivation that is itself the output that `hash` stands for; hash is replaced. */
void placeholder_dynamic(uint8_t hash[HASH_SHA256_LEN], struct slice output, char out[PLACEHOLDER_LEN + 1]);

/* --- a ready-made memory --- */

/* A hash table from .drv paths (full texts, copied) to hashes modulo.  Zeroed is empty. */
struct drv_memo {
	struct drv_memo_slot *slots;
	size_t n, cap;
	struct arena arena;
};

void drv_memo_release(struct drv_memo *m);
void drv_memo_put(struct drv_memo *m, struct slice path, const struct drv_modulo *v);
const struct drv_modulo *drv_memo_get(const struct drv_memo *m, struct slice path);

#endif
