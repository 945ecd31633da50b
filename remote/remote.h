/* SPDX-License-Identifier: MIT
 *
 * A store of others, behind a daemon: the client's side of the protocol.
 *
 * One connection, used by one thread; after an error that is not the answer of an operation it is dead, and says so.  What a daemon
 * says is believed as far as its user does: whoever builds through it trusts it with the result.
 */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include "build/build.h"
#include "remote/address.h"
#include "remote/protocol.h"

struct remote;

struct remote_hooks {
	void (*note)(void *user, const char *text); /* a line for people */
	void (*event)(void *user, const struct build_event *ev); /* of its builds */
	int said_to; /* where a program that leads there says what it has to say; 0: it is kept for an error */
	void *user;
};

/* What it is to know of this user's settings. */
struct remote_wishes {
	int keep_failed, keep_going, fallback, substitute;
	uint64_t max_jobs, max_silent, timeout, cores;
	const char *const *overrides; /* name, value, name, value …, NULL */
};

/* Connects; store_dir (borrowed) is where its objects are called.  Hooks may have NULLs. */
int remote_open(struct remote **out, const struct remote_address *a, struct slice store_dir, const struct remote_hooks *h,
		struct err *e);

/* The same over descriptors (borrowed) that lead to one. */
int remote_open_fds(struct remote **out, int in, int to, const char *name, struct slice store_dir, const struct remote_hooks *h,
		    struct err *e);

/* The same to 'nix-store --serve'. */
int remote_open_serving(struct remote **out, int in, int to, const char *name, struct slice store_dir, const struct remote_hooks *h,
			struct err *e);
void remote_free(struct remote *r);
void remote_set_hooks(struct remote *r, const struct remote_hooks *h);

const char *remote_name(const struct remote *r);    /* its address */
const char *remote_version(const struct remote *r); /* of its Nix, "" when it did not say */
int remote_trust(const struct remote *r);	    /* 1 it trusts this user, 0 it does not, -1 it did not say */
int remote_minor(const struct remote *r);
int remote_lists(const struct remote *r); /* 1 when it tells which objects it has */

int remote_wish(struct remote *r, const struct remote_wishes *w, struct err *e);

/* --- asking --- */

/* Those of the paths that are valid there; substitute: it may fetch them. */
int remote_valid(struct remote *r, const struct path_set *paths, int substitute, struct path_set *out, struct err *e);

/* 1 and all about an object, 0 when it is not valid, or negative. */
int remote_info(struct remote *r, const struct store_path *p, struct path_info *out, struct err *e);

/* The same of many at once: `take` gets each that is valid, in their order, and what it is given is its. */
int remote_infos(struct remote *r, const struct path_set *paths, int (*take)(void *user, struct path_info *i, struct err *e),
		 void *user, struct err *e);

enum remote_question { REMOTE_REFERRERS, REMOTE_DERIVERS, REMOTE_ALL };

/* Adds paths to *out; p is NULL for REMOTE_ALL. */
int remote_paths(struct remote *r, enum remote_question q, const struct store_path *p, struct path_set *out, struct err *e);

/* The outputs of a derivation: each that has a path. */
int remote_outputs(struct remote *r, const struct store_path *drv,
		   int (*each)(void *user, struct slice name, const struct store_path *path, struct err *e), void *user,
		   struct err *e);

/* 1 and the object with these 32 digits, 0 when there is none. */
int remote_find_digest(struct remote *r, struct slice digest, struct store_path *out, struct err *e);

/* The archive of a valid object; `take` reads all of it. */
int remote_archive(struct remote *r, const struct store_path *p,
		   int (*take)(void *user, const struct byte_source *nar, struct err *e), void *user, struct err *e);

/* --- changing --- */

/* Objects to be sent, each after what it refers to. */
struct remote_objects {
	size_t n;
	int store; /* descriptor of the folder their files lie in */
	const struct store_path *(*path)(void *user, size_t i);

	/* All about one, borrowed until the next. */
	int (*get)(void *user, size_t i, const struct path_info **out, struct err *e);
	void *user;
};

/* Adds those that it does not have; what they refer to must be there or among them.  substitute: it may fetch them instead.  *added
 * counts. */
int remote_send(struct remote *r, const struct remote_objects *from, int substitute, int check_sigs, size_t *added, struct err *e);

/* It is to fetch what its caches have of these. */
int remote_substitute(struct remote *r, const struct path_set *paths, struct err *e);

/* Adds objects that are valid in s and that it does not have; what they refer to must be there or among them. *added counts. */
int remote_add(struct remote *r, struct store *s, const struct path_set *paths, int check_sigs, size_t *added, struct err *e);

/* Brings objects from there into a store, with all they refer to unless alone; what is there is not asked for.  check_sigs as of
 * copy_objects. */
struct copy_result;
int remote_copy_from(struct remote *r, struct store *to, const struct path_set *paths, int alone, int check_sigs,
		     struct copy_result *out, struct err *e);

/* Adds to *out what `paths` and all they refer to are there, those excepted that `known` says are known already (may be NULL). */
struct remote_closure {
	struct path_info *v; /* in the order of their paths */
	size_t n, cap;
};

int remote_get_closure(struct remote *r, const struct path_set *paths, int alone,
		       int (*known)(void *user, const struct store_path *p, struct err *e), void *user, struct remote_closure *out,
		       struct err *e);
void remote_closure_release(struct remote_closure *c);

/* How something that was wanted came out. */
struct remote_outcome {
	enum build_status status;
	char *text; /* why not; owned */
};

/* Has it all built, or fetched; outcomes of n.  Negative only when there is none for each. */
int remote_build(struct remote *r, const struct wanted *v, size_t n, int mode, struct remote_outcome *outcomes, struct err *e);

/* What it would build, and fetch; and what it knows nothing of. */
struct remote_plan {
	struct path_set builds, fetches, unknown;
	uint64_t packed, unpacked;
};

/* Has a derivation built that it need not have: `inputs` are all that its builder may see, and are there. */
int remote_build_given(struct remote *r, const struct store_path *path, const struct drv *d, const struct path_set *inputs,
		       struct remote_outcome *outcome, struct err *e);

int remote_missing(struct remote *r, const struct wanted *v, size_t n, struct remote_plan *out, struct err *e);
void remote_plan_release(struct remote_plan *p);

/* Keeps an object while the connection lasts. */
int remote_temp_root(struct remote *r, const struct store_path *p, struct err *e);

/* Tells it of a link of this machine's to an object of it. */
int remote_indirect_root(struct remote *r, const char *link, struct err *e);

int remote_add_sigs(struct remote *r, const struct store_path *p, const char *sigs, struct err *e);

/* As store_gc: action by its number, paths for deleting.  Told of each full path. */
int remote_gc(struct remote *r, int action, const struct path_set *paths, uint64_t max_freed,
	      void (*each)(void *user, struct slice path), void *user, uint64_t *freed, struct err *e);
int remote_optimise(struct remote *r, struct err *e);
int remote_verify(struct remote *r, int contents, int repair, int *bad, struct err *e);

#endif
