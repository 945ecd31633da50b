/* SPDX-License-Identifier: MIT
 *
 * Realising derivations: building what is not there yet, inputs first, several at a time.
 *
 * build_realise walks the graph from the derivations asked for, leaves alone what is valid, and runs the builders of the
 * rest (build/sandbox.h).  Nothing of a build is valid until all of it is: outputs are copied to fresh files
 * after every process of the build is dead, hashed, checked, and committed together.
 *
 * Two processes that want the same output meet at its lock: one builds, the other waits and then finds it valid.
 */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "format/drv.h"
#include "store/object.h"
#include "store/store.h"

#include <stdint.h>

/* How builders are confined. */
enum build_confinement {
	CONFINE_REQUIRED, /* every builder, or no build */
	CONFINE_RELAXED,  /* but those that say __noChroot */
	CONFINE_NONE	  /* none: builders see the machine, only the system call filter stays */
};

enum build_event_kind {
	BUILD_PLAN,	/* builds, fetches: how many there are to do and done in all, as far as known; no drv */
	BUILD_NEXT,	/* text: names of what comes next, the soonest first; no drv */
	BUILD_START,	/* text: what people call it; fetch */
	BUILD_LINE,	/* text: one line the builder printed */
	BUILD_PHASE,	/* text: what the builder says it is doing */
	BUILD_PROGRESS, /* now of all: bytes of a fetch, else what the builder counts (packages) */
	BUILD_WAIT,	/* text: who else is building it */
	BUILD_FOUND,	/* somebody else has made it */
	BUILD_AGAIN,	/* a machine did not do it: it will be started again */
	BUILD_DONE,	/* seconds */
	BUILD_FAILED,	/* text: why, as in the error */
	BUILD_NOTE	/* text: something a person should know */
};

struct build_event {
	enum build_event_kind kind;
	const struct store_path *drv;
	struct slice text;
	int code; /* BUILD_FAILED: the error's */
	double seconds;
	int fetch; /* a builder of ours that fetches; these are not counted as builds */
	uint64_t now, all;
	size_t builds, fetches;
	const char *machine; /* BUILD_START: where it is done, NULL for here */
};

/* Builders that are part of this program, "builtin:NAME"; see build/builtin_builders.h. */
struct builtin_builder;
struct drv_options;

/* What others provide. Any function may be NULL. */
struct build_hooks {
	void (*event)(void *user, const struct build_event *ev);

	/* The hash of a fixed output whose derivation has outputHashMode = `mode`, one this library does not know: of the tree
	 * dirfd/name.  Returns 0, 1 when it does not know the mode either, or negative.  Called before anything is registered. */
	int (*content_hash)(void *user, const struct drv *d, struct slice mode, int dirfd, const char *name,
			    struct hash *out, struct err *e);

	/* Names files and folders of this machine that a builtin builder may read (a mirror it was told of), by calling show with
	 * each absolute path; seen inside under the same names, read-only.  Not asked for other builders. */
	int (*paths)(void *user, const struct store *s, const struct drv *d, void (*show)(void *arg, const char *path), void *arg,
		     struct err *e);

	/* A descriptor that a builtin builder gets as standard input, borrowed; 0: none.  Called after paths. */
	int (*input)(void *user, const struct drv *d);

	/* More builtin builders: an array ended by one without a name. */
	const struct builtin_builder *builtins;
	void *user;
};

/* A build for another machine. */
struct build_order {
	struct slice dir; /* the store directory, and its descriptor */
	int store;
	const struct store_path *path;
	const struct drv *drv;

	/* What the builder may see: each after what it refers to. */
	const struct path_info *inputs;
	size_t ninputs;

	/* The derivation with all it refers to, likewise; 0 unless they were asked for. */
	const struct path_info *drvs;
	size_t ndrvs;
	const unsigned char *skip; /* by output: it is here already */
	int keep_failed;
	unsigned timeout, max_silent, cores;

	/* To be told of: a line of the builder's, what is going on, what a person should know, an output with its archive. */
	void (*line)(void *user, struct slice text);
	void (*phase)(void *user, struct slice text);
	void (*note)(void *user, struct slice text);
	int (*output)(void *user, size_t i, const struct path_info *info, const struct byte_source *nar, struct err *e);
	void *user;
};

enum build_ordered {
	ORDER_DONE,	   /* it was built, and all outputs came */
	ORDER_WANTS_DRVS,  /* the machine builds only what it is given the derivation of */
	ORDER_UNREACHABLE, /* nobody answers there, for which e has the reason */
	ORDER_FAILED	   /* it was not built: e */
};

/* Machines that builds can be given to. */
struct build_machines {
	size_t seats; /* builds at once, on all of them */

	/* Takes a place for a build: 0; 1 when those that could do it are busy; 2 when there is none; negative on failure. */
	int (*enter)(void *user, struct store *s, const struct drv *d, const struct drv_options *o, int *seat, struct err *e);
	void (*leave)(void *user, int seat);

	/* Has it built, in a process of its own, where no database may be touched. */
	enum build_ordered (*run)(void *user, int seat, const struct build_order *o, struct err *e);

	/* What came of that is told to the process that gave it. */
	void (*unreachable)(void *user, int seat);
	void (*wants_drvs)(void *user, int seat);
	int (*gets_drvs)(void *user, int seat);
	const char *(*name)(void *user, int seat);
	void *user;
};

struct build_settings {
	unsigned max_jobs; /* builders of this machine at once, but for those of ours that fetch; 0: none, all builds are for
			    * others */
	const char *not_here; /* why nothing is built here though max_jobs is 0 by nobody's wish; NULL: by that */
	unsigned cores;		    /* NIX_BUILD_CORES; 0: all of this machine */
	unsigned timeout;	    /* seconds for one build, 0 for any */
	unsigned max_silent;	    /* seconds without output, 0 for any */
	uint64_t max_log;	    /* bytes of output, 0 for any */
	unsigned max_procs;	    /* processes and threads of one builder, 0 for what fits the cores of this machine */
	const char *impure_env;	    /* more variables that builders of fixed outputs may get, separated by blanks; NULL: none */
	int keep_failed;	    /* keep the folder of a failed build */
	int keep_going;		    /* after a failure go on with what does not need it */
	int check;		    /* build the derivations asked for although they are valid, and compare */
	int repair;		    /* with check: do not compare, but replace outputs that are damaged */
	enum build_confinement confinement;
	const char *shell;	    /* static program seen as /bin/sh; NULL: build_shell() */
	const char *features;	    /* system features, separated by blanks; NULL: Nix's usual ones */
	unsigned log_lines;	    /* last lines of a failed build's log in the error */
	int cancel_fd;		    /* readable when all should stop; -1 for none */
	const struct build_machines *machines; /* that builds may be given to; NULL: none */
	struct build_hooks hooks;

	/* When set, nothing is built: called with hooks.user for each derivation that would be. */
	void (*plan)(void *user, const struct store *s, const struct store_path *drv);

	/* Then: called once with all that would be fetched, and the bytes of it, packed and unpacked. */
	void (*plan_fetch)(void *user, const struct store *s, const struct path_set *paths, uint64_t packed, uint64_t unpacked);
};

/* Where builders work, and what they see there. */
struct build_place {
	const char *dir; /* a folder that is there, which others may use as well; NULL: one of the store's own */
	const char *paths; /* what confined builders see as well, with blanks between: PATH[=SOURCE][?]; NULL: nothing */
};
extern struct build_place build_place;

/* What is done after each build, whoever asked for it. */
struct build_after {
	const char *hook; /* a program to run, with DRV_PATH and OUT_PATHS in its environment; NULL: none */
};
extern struct build_after build_after;

/* The defaults. */
void build_settings_init(struct build_settings *s);

/* The static program that builders see as /bin/sh where nobody names another: busybox-static beside this program, as in a
 * tarball that brings it, else the one chosen at configure time.  Static; need not be there. */
const char *build_shell(void);

/* The system features of a machine where nobody says which it has. */
const char *build_usual_features(void);

/* What is wanted of a derivation. */
struct build_target {
	struct store_path drv;
	const struct slice *outputs; /* names; NULL with noutputs 0 for all */
	size_t noutputs;

	/* What is built under that name instead of what lies in the store: its outputs are where it says, which the caller vouches
	 * for, and what it needs is there.  Borrowed; NULL for what is in the store. */
	const struct drv *given;
};

struct build_output {
	size_t target; /* index of what asked for it */
	char *name;
	struct store_path path;
};

/* Outputs in the order of the targets, within one by name.  Zeroed is empty. */
struct build_result {
	struct build_output *v;
	size_t n;
	size_t built; /* derivations that were built now */
};

void build_result_release(struct build_result *r);

/* Makes the outputs valid (with set->plan only names them).  On success they are temporary roots of the store's process, so that
 * nobody collects them before the caller has made lasting ones.
 *
 * ERR_BUILD, ERR_TIMEOUT: a build failed; ERR_HASH: a fixed output came out different; ERR_DIFFERS: a build that was to be checked
 * is not deterministic; ERR_REJECTED: what a builder made or printed is not allowed; ERR_DENIED: builds cannot be confined here;
 * ERR_INTERRUPT: cancelled.  The message of a failed build has several lines: what failed, the end of its log, and how to see all
 * of it. */
int build_realise(struct store *s, const struct build_settings *set, const struct build_target *v, size_t n,
		  struct build_result *out, struct err *e);

/* Whether the code of an error says that of one build, which says nothing of others. */
static inline int build_is_failure(int code)
{
	return code == ERR_BUILD || code == ERR_HASH || code == ERR_TIMEOUT || code == ERR_DIFFERS ||
	       code == ERR_REJECTED;
}

/* Makes an object valid, with all it refers to, out of a binary cache.  ERR_NOTFOUND when it cannot be had. */
int build_fetch(struct store *s, const struct store_path *p, struct err *e);

/* The system whose programs this machine runs, "x86_64-linux". */
const char *build_system(void);

#endif
