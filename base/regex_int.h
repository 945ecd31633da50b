/* SPDX-License-Identifier: MIT
 *
 * The program that base/regex.c compiles and base/regex_exec.c runs: a graph of states.
 *
 *   RE_BYTE c      consume the byte c               RE_BOL, RE_EOL   at the ends of the text
 *   RE_SET set     consume a byte of the set        RE_SAVE slot     note the position
 *   RE_ALT         both `alt` and `next`: longest   RE_NOP           nothing
 *   RE_REP         `alt` once more, else `next`     RE_MATCH         the end
 *   RE_RUN set     as many bytes of the set as let `next` match; `alt` is the run's number
 *
 * Slot 2g is the start and 2g + 1 the end of group g.
 */
#ifndef BASE_REGEX_INT_H
#define BASE_REGEX_INT_H

#include "base/regex.h"

enum re_op { RE_NOP, RE_BYTE, RE_SET, RE_BOL, RE_EOL, RE_SAVE, RE_ALT, RE_REP, RE_RUN, RE_MATCH };

/* Loops whose body can match nothing are numbered so that the machine can count their empty rounds;
 * those beyond RE_LOOPS, and all other repetitions, need no count. */
#define RE_LOOPS 4
#define RE_NO_LOOP 0xff
#define RE_LOOP_UNCOUNTED 0xfe

/* Where leaving a run can succeed at all. */
enum re_exit { RE_EXIT_ANYWHERE, RE_EXIT_BEFORE_BYTE, RE_EXIT_BEFORE_MATCH };

struct re_state {
	uint8_t op;
	uint8_t c;    /* RE_BYTE, and the byte of RE_EXIT_BEFORE_BYTE */
	uint8_t loop; /* RE_REP: RE_NO_LOOP, its number, or RE_LOOP_UNCOUNTED */
	uint8_t exit; /* RE_RUN: enum re_exit */
	uint32_t arg; /* set or slot */
	uint32_t next, alt;
};

struct re_set {
	uint64_t w[4];
};

static inline int re_has(const struct re_set *s, unsigned char c)
{
	return (int)(s->w[c >> 6] >> (c & 63)) & 1;
}

struct regex {
	char *pattern;
	size_t len;
	struct regex *chain; /* in its cache bucket */
	struct re_state *st;
	uint32_t n, start;
	struct re_set *sets;
	uint32_t n_sets;
	uint32_t groups;
	uint32_t runs;	     /* RE_RUN states */
	uint32_t loops;	     /* counted loops */
	uint32_t nullable_loops;
	int has_alt;
	int has_first;	     /* a match must begin with a byte of `first` */
	struct re_set first;
	int first_byte;	     /* the only one, or -1 */
};

#endif
