/* SPDX-License-Identifier: MIT
 *
 * Values as text in the language's own syntax.
 */
#ifndef EVAL_SHOW_H
#define EVAL_SHOW_H

#include "base/buf.h"
#include "eval/value.h"

enum show_flags {
	SHOW_FORCE = 1,	      /* force as it prints (else thunks print as «thunk») */
	SHOW_DRV_INSIDE = 2,  /* print derivations as sets (else «derivation /nix/store/….drv») */
	SHOW_STRICT = 4,      /* exactly as nix-instantiate --eval prints: «thunk» as <CODE>, <LAMBDA>, <PRIMOP> … */
	SHOW_COLOUR = 8,
	SHOW_ERRORS = 16,     /* an error inside becomes «error: …» instead of being raised */
	SHOW_PRETTY = 32,     /* several lines, indented, when long */
	SHOW_FOLD = 64        /* the beginning of long strings, sets and lists, and how much follows */
};

/* Appends w to b.  depth: levels of sets and lists to open (UINT_MAX all).  Throws with SHOW_FORCE.
 * Returns 1 when something was left out because of SHOW_FOLD. */
int show_value(struct buf *b, W w, unsigned flags, unsigned depth);

/* A short form for error messages: never forces, never throws, at most some 60 columns.  On the
 * collected heap. */
const char *show_brief(W w);

/* "an integer", "a list", "a function", "the built-in function 'map'", … */
const char *show_type(W w);

#endif
