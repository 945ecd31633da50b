/* SPDX-License-Identifier: MIT
 *
 * Stores behind an address: a daemon's, or a binary cache, as `--store` names them.
 *
 * A view is a store in a folder of this process that has what was asked about so far: rows come with all they refer to when
 * somebody asks, files when they are opened.  What is added lies in it until something is built there, or it is copied; it goes
 * with the process.
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "cli/build_options.h"
#include "cli/realise.h"
#include "store/store.h"

struct remote;

/* As store_open, also of a PLACE_VIEW. */
int view_open(struct store **out, const struct place *place, enum store_flags flags, struct err *e);

/* The daemon that a store is a view of; NULL for any other. */
struct remote *view_remote(const struct store *s);

/* 1 for one of a binary cache. */
int view_is_cache(const struct store *s);

/* What was added to a view becomes part of what it is a view of, with all it refers to; nothing to do for other stores. */
int view_send(struct store *s, const struct store_path *p, struct err *e);

/* The same for all that was added to a view, or built for it. */
int view_send_all(struct store *s, struct err *e);

/* As realise, by the daemon. */
int view_realise(struct store *s, struct build_options *o, const struct build_targets *t, struct build_result *result,
		 struct err *e);

#endif
