/* SPDX-License-Identifier: MIT
 *
 * Between the files of the client's side.
 */
#ifndef REMOTE_REMOTE_INT_H
#define REMOTE_REMOTE_INT_H

#include "fetch/program.h"
#include "remote/remote.h"

struct remote {
	struct wire w;
	struct slice dir;
	struct remote_hooks hooks;
	struct program program; /* that it is spoken to through; pid -1: none */
	int fd;			/* the socket, -1: none */
	char *name, *version;
	int minor, trust;
	int serves; /* 2.N of the protocol of 'nix-store --serve'; 0: it is a daemon */
	struct remote_wishes wishes; /* then: for each build */
	int dead; /* nobody knows where the next word begins */

	/* Builds it told of. */
	struct {
		uint64_t id;
		struct store_path drv;
		double started;
	} *builds;
	size_t nbuilds, capbuilds;
};

/* Connects, and says nothing yet. */
int remote_connect(struct remote **out, const struct remote_address *a, struct err *e);

/* Begins an operation; ERR_IO when the connection is dead. */
int remote_begin(struct remote *r, enum operation op, struct err *e);

/* Sends what was written, and takes messages until the operation's end: 0, or its error. */
int remote_wait(struct remote *r, struct err *e);

/* Takes those that are there already, while something is being sent. */
int remote_poll(struct remote *r, struct err *e);

/* rc is what reading the results came to: after a failure the connection is dead. */
int remote_end(struct remote *r, int rc);

/* The error that the other side told, by its text; returns the code. */
int remote_refused(const struct remote *r, int code, const struct buf *text, struct err *e);

/* Reads how one build went. */
int remote_get_outcome(struct remote *r, struct remote_outcome *o, struct err *e);

/* A derivation without its name; inputs are what its builder may see. */
void wire_put_derivation(struct wire *w, struct slice dir, const struct drv *d, const struct path_set *inputs);

/* Writes what is wanted, as a list. */
void remote_put_wanted(struct remote *r, const struct wanted *v, size_t n);

/* --- serve_client.c: as the functions of remote.h, of 'nix-store --serve' --- */

/* 1 when what answers is something else, with *magic. */
int serve_greet(struct remote *r, uint64_t *magic, struct err *e);
int serve_valid(struct remote *r, const struct path_set *paths, int substitute, struct path_set *out, struct err *e);
int serve_info(struct remote *r, const struct store_path *p, struct path_info *out, struct err *e);
int serve_infos(struct remote *r, const struct path_set *paths, int (*take)(void *user, struct path_info *i, struct err *e),
		void *user, struct err *e);

/* Asks for an archive, which then comes. */
int serve_archive(struct remote *r, const struct store_path *p, struct err *e);
int serve_add(struct remote *r, int store, const struct path_info *info, struct err *e);
int serve_build(struct remote *r, const struct wanted *v, size_t n, struct err *e);
int serve_build_given(struct remote *r, const struct store_path *path, const struct drv *d, const struct path_set *inputs,
		      struct remote_outcome *outcome, struct err *e);

/* Reads the number 1 that says "done". */
int remote_get_done(struct remote *r, struct err *e);

/* Frames that are written; put is a sink. */
struct frames_out {
	struct remote *r;
	struct buf frame;
	int rc; /* of the operation, which may end before all was sent */
	struct nar_sink sink;
};

void frames_begin(struct frames_out *f, struct remote *r);

/* Ends them and waits for the operation's end. */
int frames_end(struct frames_out *f, int rc, struct err *e);

#endif
