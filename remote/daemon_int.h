/* SPDX-License-Identifier: MIT
 *
 * Between the files that serve a client.
 */
#ifndef REMOTE_DAEMON_INT_H
#define REMOTE_DAEMON_INT_H

#include "cache/substitute.h"
#include "remote/daemon.h"
#include "remote/protocol.h"

/* An activity that the client was told of. */
struct told_activity {
	struct store_path drv;
	uint64_t id;
};

struct client {
	struct wire w;
	struct store *s;
	struct slice dir;
	const struct daemon_options *o;
	int minor;	     /* of the version both speak */
	int working;	     /* it waits for messages: they may be sent */
	int raw;	     /* an archive is on its way to it: an error can be told no more */
	struct buf pending; /* messages that came up while none could be sent */
	struct told_activity *told;
	size_t ntold, captold;
	uint64_t last_id;
	int use_substitutes; /* it wants caches to be asked */
	int serves;	     /* 2.N of the protocol of --serve, in which there are no messages; 0: it is that of a daemon */
	int may_write;	     /* then: what changes the store is done */
};

/* --- daemon.c --- */

/* The arguments are read: what is said from here on goes to the client, and an error is its answer. */
void client_begin(struct client *c);

/* It went well, and is on the disk: results follow. */
int client_done(struct client *c, struct err *e);

/* The end of an operation whose answer is that it was done; rc is how it went. */
int client_done_well(struct client *c, int rc, struct err *e);

/* A line for people; the other is a notice of stores and substituters, for which user is the client. */
void client_say(struct client *c, struct slice line);
void client_note(void *user, const char *text);

/* ERR_DENIED unless the client is trusted. */
int client_want_trust(const struct client *c, const char *what, struct err *e);

/* For struct build_hooks; user is the client. */
void client_build_event(void *user, const struct build_event *ev);

/* --- the operations; each reads its arguments, and writes what follows them --- */
typedef int (*operation_fn)(struct client *c, enum operation op, struct err *e);

/* daemon_query.c */
int op_is_valid_path(struct client *c, enum operation op, struct err *e);
int op_query_paths(struct client *c, enum operation op, struct err *e); /* referrers, derivers, outputs */
int op_query_outputs(struct client *c, enum operation op, struct err *e); /* names, or also paths */
int op_query_deriver(struct client *c, enum operation op, struct err *e);
int op_query_path_info(struct client *c, enum operation op, struct err *e);
int op_query_all(struct client *c, enum operation op, struct err *e);
int op_query_hash_part(struct client *c, enum operation op, struct err *e);
int op_query_valid_paths(struct client *c, enum operation op, struct err *e);
int op_query_substitutable(struct client *c, enum operation op, struct err *e);
int op_query_substitutable_info(struct client *c, enum operation op, struct err *e);
int op_query_substitutable_infos(struct client *c, enum operation op, struct err *e);
int op_query_realisation(struct client *c, enum operation op, struct err *e);
int op_nar_from_path(struct client *c, enum operation op, struct err *e);

/* Asks the caches for paths; *u, which the caller frees, is NULL when there is nobody to ask, or nothing. */
int client_ask(struct client *c, const struct path_set *paths, int cancel_fd, struct substituter **u, struct err *e);

/* daemon_add.c */
int op_add_to_store(struct client *c, enum operation op, struct err *e);
int op_add_text(struct client *c, enum operation op, struct err *e);
int op_add_nar(struct client *c, enum operation op, struct err *e);
int op_add_multiple(struct client *c, enum operation op, struct err *e);
int op_add_signatures(struct client *c, enum operation op, struct err *e);
int op_add_log(struct client *c, enum operation op, struct err *e);
int op_register_output(struct client *c, enum operation op, struct err *e);

/* daemon_build.c */
int op_build_paths(struct client *c, enum operation op, struct err *e);
int op_build_with_results(struct client *c, enum operation op, struct err *e);
int op_build_derivation(struct client *c, enum operation op, struct err *e);
int op_ensure_path(struct client *c, enum operation op, struct err *e);
int op_query_missing(struct client *c, enum operation op, struct err *e);

/* Fetches those of the paths that are not valid, as far as they can be had. */
int client_substitute(struct client *c, const struct path_set *paths, struct err *e);

/* Builds what is wanted, and answers as --serve does. */
int serve_build_paths(struct client *c, struct err *e);

/* serve.c: reads what a client says of how builds are to be done. */
int serve_get_options(struct client *c, struct err *e);

/* daemon_care.c */
int op_temp_root(struct client *c, enum operation op, struct err *e);
int op_perm_root(struct client *c, enum operation op, struct err *e);
int op_indirect_root(struct client *c, enum operation op, struct err *e);
int op_sync_with_gc(struct client *c, enum operation op, struct err *e);
int op_find_roots(struct client *c, enum operation op, struct err *e);
int op_collect_garbage(struct client *c, enum operation op, struct err *e);
int op_set_options(struct client *c, enum operation op, struct err *e);
int op_optimise(struct client *c, enum operation op, struct err *e);
int op_verify(struct client *c, enum operation op, struct err *e);

#endif
