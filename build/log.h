/* SPDX-License-Identifier: MIT
 *
 * Logs of builds, compressed, where Nix puts them and looks for them:
 *     var/log/nix/drvs/<2 digits>/<rest of the derivation's base name>.bz2
 * log.c is the only file that includes <bzlib.h>.
 */
#ifndef BUILD_LOG_H
#define BUILD_LOG_H

#include "store/store.h"

#include <stddef.h>

struct build_log;

/* Starts the log of a derivation, replacing an older one when it is closed.  NULL when it cannot be
 * written; a build goes on without a log. */
struct build_log *log_open(struct store *s, const struct store_path *drv, struct err *e);

/* Adds to it; a failure (a full disk) ends the log, not the build. */
void log_write(struct build_log *l, const void *p, size_t n);

/* Ends it.  NULL is fine.  A long one is there only after logs_wait. */
void log_close(struct build_log *l);

/* Waits until all that were closed are there; cut: as far as they are compressed by now, for somebody waits. */
void logs_wait(int cut);

/* Calls write() with the log of a derivation, or of the derivation that made p.  ERR_NOTFOUND when there is none. */
int log_read(struct store *s, const struct store_path *p,
	     int (*write)(void *user, const void *data, size_t n, struct err *e), void *user, struct err *e);

#endif
