/* SPDX-License-Identifier: MIT
 *
 * What this thread's evaluator has done so far (--stats).
 */
#ifndef EVAL_STATS_H
#define EVAL_STATS_H

#include <stdint.h>

struct counters {
	uint64_t thunks, forced;	    /* made; evaluated */
	uint64_t calls, builtin_calls;	    /* of closures; of builtins */
	uint64_t frames;		    /* made */
	uint64_t lookups;		    /* of attributes */
	uint64_t sets, set_elements;	    /* flat sets made; attributes in them */
	uint64_t merges, flattened;	    /* `//` nodes made; of them turned into flat sets */
	uint64_t lists, list_elements, list_concats;
	uint64_t strings;
	uint64_t parsed, kept; /* texts parsed; programs that an earlier run kept */
};

void eval_counters(struct counters *out);

#endif
