/* SPDX-License-Identifier: MIT
 *
 * Running a builder where it sees nothing but what it is given.
 *
 * With namespaces: own users, mounts, processes, IPC, host name and (unless asked otherwise) network; the
 * program is process 1 of its namespace, so that when it ends the kernel kills everything it left, and waiting for it
 * waits for all of them.  Whatever happens to the process that started it, the builder dies with it.
 *
 * Without (struct sandbox_spec.bare): only the system call filter, a session of its own, and a watcher that
 * kills what the builder leaves behind.
 *
 * The caller names an empty folder, over which / is mounted: a file system in memory with what it lists, read-only afterwards;
 * see build/build_dir.c.
 */
#ifndef BUILD_SANDBOX_H
#define BUILD_SANDBOX_H

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

enum bind_flags {
	BIND_WRITABLE = 1 << 0,
	BIND_OPTIONAL = 1 << 1,	 /* left out when the source is not there */
	BIND_DEVICE = 1 << 2,	 /* a device node that works */
	BIND_RECURSIVE = 1 << 3	 /* with what is mounted below it */
};

/* Something of the machine that is seen inside. */
struct sandbox_bind {
	const char *source; /* path outside; not followed when it is a link */
	const char *target; /* path inside, without the leading slash; is there already */
	enum bind_flags flags;
};

/* Something that / has of its own. */
enum sandbox_entry_kind { ENTRY_FOLDER, ENTRY_FILE, ENTRY_LINK };

struct sandbox_entry {
	enum sandbox_entry_kind kind;
	const char *path; /* inside, without the leading slash; folders above it are made as well; a folder may be there already */
	const char *text; /* contents of a file, or where a link points */
	mode_t mode;	  /* of a folder; 0: 0755 */
};

struct sandbox_spec {
	/* What runs: a program, or a function of this process image that returns the exit status. */
	const char *program;
	char *const *argv, *const *envp;
	int (*function)(void *arg);
	void *arg;
	int execs;	 /* the function may run a program */
	const char *cwd; /* inside */

	/* What it sees. */
	const char *root; /* path outside of an empty folder that becomes / */
	const struct sandbox_entry *entries;
	size_t nentries;
	const struct sandbox_bind *binds;
	size_t nbinds;
	int network; /* 1: the machine's, behind a barrier; 0: only a loopback of its own */
	int bare;    /* 1: no namespaces, root and binds do not count */

	/* Who it is. */
	uid_t uid, outer_uid; /* inside, outside */
	gid_t gid, outer_gid;

	int input;	   /* descriptor that becomes standard input; 0: there is none */
	int output;	   /* descriptor that becomes standard output and error */
	int printed;	   /* its other end, which is read while the builder starts, by drain(); without drain it is not */
	void (*drain)(void *arg);
	void *drain_arg;
	unsigned max_procs; /* processes and threads at once */
	int linux32;	   /* 32-bit personality */
};

struct sandbox {
	pid_t pid;
	int pidfd; /* readable once it has ended */
	int bare;
};

/* Starts it and returns once the program runs.  ERR_DENIED, with what to do about it, when the system refuses namespaces;
 * ERR_IO for other failures of the setup. */
int sandbox_start(struct sandbox *b, const struct sandbox_spec *spec, struct err *e);

/* Kills all of it; sandbox_wait still has to be called. */
void sandbox_kill(const struct sandbox *b);

/* Waits for its end, and with it for that of every process it started; returns the status as of waitpid. */
int sandbox_wait(struct sandbox *b);

/* Whether builds can be confined here: 0, or the error that sandbox_start would give. */
int sandbox_probe(struct err *e);

#endif
