/* SPDX-License-Identifier: MIT
 *
 * Objects from one store on disk to another.
 */
#ifndef CACHE_COPY_H
#define CACHE_COPY_H

#include "store/store.h"

struct copy_result {
	size_t copied, present;
};

/* Copies objects that are valid in `from`, with what they refer to among them; on all cores.  check_sigs: the setting require-sigs
 * counts, so what has no path that follows from its contents needs a signature of a trusted key (ERR_DENIED). */
int copy_objects(struct store *from, struct store *to, const struct path_set *paths, int check_sigs, struct copy_result *out,
		 struct err *e);

#endif
