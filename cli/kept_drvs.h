/* SPDX-License-Identifier: MIT
 *
 * Derivations and objects in kept answers (cli/eval_cache.h): an answer that names them will do only while they are in the store.
 */
#ifndef CLI_KEPT_DRVS_H
#define CLI_KEPT_DRVS_H

#include "cli/realise.h"

/* Why an answer will not do, for eval_cache_refuse. */
#define KEPT_GONE "what it came to is no longer in the store"

/* Append them to an answer; dir is the folder of their store. */
void kept_drvs_add(struct buf *b, const struct build_targets *t, struct slice dir);
void kept_path_add(struct buf *b, const struct store_path *p, struct slice dir); /* of length 0: none */

/* Take them off *rest, zeroed before; they are in the store and will stay while it is open.  -1 when they are not there, or not
 * what was added. */
int kept_drvs_take(struct slice *rest, struct store *s, struct build_targets *out);
int kept_path_take(struct slice *rest, struct store *s, struct store_path *out);

#endif
