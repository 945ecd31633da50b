/* SPDX-License-Identifier: MIT
 *
 * Sessions: evaluations of one process that know nothing of each other (base/session.h).
 *
 * Each has its settings, source texts, programs, builtins, search path, memory of files, derivations, fetched trees and
 * store.  What is said of an evaluation by functions without a session among their arguments is said of the one that was
 * entered.  One at a time is, by one thread, and while nothing is being evaluated; values and positions are of the
 * session they were made in.
 *
 * A program that evaluates once may do without: the variables begin as those of a new session.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "eval/eval.h"

struct session;

/* A session with a copy of these settings and with these builtins (as for eval_init), on a thread that eval_thread
 * prepared.  It is not entered: the session that was, is again. session_free releases it. */
struct session *session_new(const struct eval_settings *settings, const struct builtin *const *const *builtins,
			    const struct eval_io *io);

/* Leaves the session that was entered, if any, and enters this one; NULL: none. */
void session_enter(struct session *s);

/* Leaves it if it is the one entered, and releases all it has; the collector finds its values by itself.  What it wrote to,
 * such as a store, is its maker's. */
void session_free(struct session *s);

#endif
