/* SPDX-License-Identifier: MIT
 *
 * The store of a run of gxeval.
 */
#ifndef CLI_EVAL_STORE_H
#define CLI_EVAL_STORE_H

struct err;
struct eval_request;
struct store;
struct store_real;

/* --eval-store: where derivations go, and are read from; NULL: the store they are built in. */
extern const char *eval_store_address;

/* Opens that for a store that is built in, as its eval store (store/store.h); dir: its
 * --store-dir, may be NULL. */
int eval_store_join(struct store *s, const char *dir, struct err *e);

/* Decides whether the run has a store, and which (not yet opened).  Before the first session.  Returns 0, or an exit status
 * after saying why. */
int eval_store_start(const struct eval_request *r);

/* Gives it to the session that is entered: to write to, and to read at its place. */
void eval_store_attach(void);

/* The store of the run, NULL when it has none. */
struct store_real *eval_store(void);

/* Puts the derivations and texts that the run made, with all they refer to, into the store.  Returns 0, or an exit status after
 * saying why. */
int eval_store_write(void);

/* Closes it. */
void eval_store_end(void);

#endif
