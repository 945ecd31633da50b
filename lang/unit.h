/* SPDX-License-Identifier: MIT
 *
 * Units: the program of one file as bytes, for keeping between runs.
 *
 *     u32 length of what stands in front of the symbols | slots of the frame | root node
 *     number of symbols | of each its number, length and name
 *
 * A node is its op, position (relative to the last one), span and the fields that unit_forms.def lists, children in
 * place.  Symbols are numbers, their table is in the order in which the writer met them; positions are relative to the
 * source's start; globals go by name.  Numbers are of 7 bits a byte.
 *
 * What may never run (bodies of functions, branches, what is put off) is preceded by OP_UNREAD and its
 * length in three bytes, and is skipped: an n_unread node stands for it until it is evaluated.  So reading a
 * unit costs what of it is used.
 *
 * The bytes of a unit are trusted to be those that were written (the caller has a checksum): a reader
 * survives anything, but does not check that slots are those of a frame.
 */
#ifndef LANG_UNIT_H
#define LANG_UNIT_H

#include "lang/program.h"

/* The unit, *n bytes that stay until the next one, of a program of src that scope_resolve made in env and nothing has
 * run yet.  NULL when it holds what has no form in a unit, or would need the C stack beyond stack_end. */
const void *unit_write(const struct node *root, uint32_t nslots, const struct source *src, const struct scope_env *env,
		       const char *stack_end, size_t *n);

/* The program of a unit, as scope_resolve gives it.  p, src and env must stay for the life of the process.
 * Returns NULL for a unit that is none, or needs the C stack beyond stack_end. */
const struct node *unit_read(const void *p, size_t n, const struct source *src, const struct scope_env *env,
			     struct arena *mem, const char *stack_end, uint32_t *nslots);

/* The node that an OP_UNREAD stands for; NULL as for unit_read. */
const struct node *unit_read_rest(const struct node *unread, const char *stack_end);

#endif
