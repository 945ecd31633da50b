/* SPDX-License-Identifier: MIT
 *
 * Between input.c, which has the table of kinds, and input_forge.c and input_git.c, which fill rows of it.
 *
 * What can fail returns 0, or a negative code with the error in the context.
 */
#ifndef FETCH_INPUT_INT_H
#define FETCH_INPUT_INT_H

#include "fetch/input.h"
#include "fetch/url.h"

struct input_ctx {
	struct arena *mem;
	struct err *e;
};

/* A row of the table. */
struct input_scheme {
	const char *name;
	const char *attrs; /* all it knows beside `type`, blanks between */
	const char *pin;   /* the attribute that says what its contents are; NULL: it needs none */
	enum input_where where;
	int (*owns)(const struct url *u);
	int (*from_url)(struct input_ctx *c, struct url *u, struct input *out);
	int (*check)(struct input_ctx *c, const struct input_scheme *s, struct input *in);
	int (*to_url)(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *out);
};

/* For "%.*s". */
#define FMT(s) (int)(s).n, (s).p

/* --- input.c: attributes --- */

void input_set_string(struct input_ctx *c, struct input *in, const char *name, struct slice s);

/* A string attribute: *out, empty p when absent.  The second wants it there. */
int input_string(struct input_ctx *c, const struct input *in, const char *name, struct slice *out);
int input_need_string(struct input_ctx *c, const struct input *in, const char *name, struct slice *out);

/* A Boolean; 0 when absent. */
int input_bool(struct input_ctx *c, const struct input *in, const char *name, int *out);

/* The hash in an attribute as hexadecimal (rev) or SRI (narHash) digits; out->p is NULL when it is absent. */
int input_hash(struct input_ctx *c, const struct input *in, const char *name, struct slice *out);

/* git's rules for the name of a reference; the simple pattern it has in "nixpkgs/REF" and in Mercurial. */
int input_is_ref(struct slice s);
int input_is_plain_ref(struct slice s);

/* 40 digits of a commit's hash. */
int input_is_rev(struct slice s);

/* One character of `first` or alphanumeric, then any of `rest` or alphanumeric. */
int input_is_name(struct slice s, const char *first, const char *rest);

/* --- input.c: URLs --- */

struct slice input_url_text(struct input_ctx *c, const struct url *u);
int input_url_is(const struct url *u, const char *scheme);
void input_url_push(struct input_ctx *c, struct url *u, struct slice segment);

/* The segments of the path that are not empty; older references have slashes everywhere. */
size_t input_segments(struct input_ctx *c, const struct url *u, struct slice **out);

/* Two texts in one. */
struct slice input_prefixed(struct input_ctx *c, const char *prefix, struct slice s);

/* --- input_forge.c --- */

#define INPUT_FORGE_ATTRS "owner repo ref rev narHash lastModified host treeHash"

int input_owns_forge(const struct url *u);
int input_from_forge(struct input_ctx *c, struct url *u, struct input *out);
int input_check_forge(struct input_ctx *c, const struct input_scheme *s, struct input *in);
int input_to_forge(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u);

/* --- input_git.c --- */

#define INPUT_GIT_STRINGS "rev ref keytype publicKey publicKeys"
#define INPUT_GIT_BOOLS "shallow submodules lfs exportIgnore allRefs verifyCommit"
#define INPUT_GIT_ATTRS "url " INPUT_GIT_STRINGS " " INPUT_GIT_BOOLS " lastModified revCount narHash name dirtyRev dirtyShortRev"

int input_owns_git(const struct url *u);
int input_from_git(struct input_ctx *c, struct url *u, struct input *out);
int input_check_git(struct input_ctx *c, const struct input_scheme *s, struct input *in);
int input_to_git(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u);

int input_owns_hg(const struct url *u);
int input_from_hg(struct input_ctx *c, struct url *u, struct input *out);
int input_check_hg(struct input_ctx *c, const struct input_scheme *s, struct input *in);
int input_to_hg(struct input_ctx *c, const struct input_scheme *s, const struct input *in, struct url *u);

#endif
