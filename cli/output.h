/* SPDX-License-Identifier: MIT
 *
 * Results on standard output, in each of the forms they can be asked for in.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/buf.h"
#include "base/err.h"
#include "eval/value.h"

enum output_form {
	OUTPUT_VALUE,  /* the language's own syntax, forced all the way */
	OUTPUT_LAZY,   /* the same, nothing forced below the top */
	OUTPUT_STRICT, /* as nix-instantiate --eval --strict prints; */
	OUTPUT_SHALLOW, /* without --strict */
	OUTPUT_JSON,
	OUTPUT_JSON_IN_PLACE, /* paths as they are, not copied */
	OUTPUT_RAW,
	OUTPUT_XML,
	OUTPUT_XML_NO_LOCATION,
	OUTPUT_DRV_PATH
};

/* Appends what is printed for v, its line end included, to b (collected).  `args` are the arguments of
 * functions met on the way, as in eval_auto_call.  Throws. */
void output_value(struct buf *b, W v, enum output_form form, W args);

/* Writes all of it to standard output.  Returns EXIT_DONE, or EXIT_FAILED after saying why. */
int output_write(const char *p, size_t n);

/* The same for text that is for people, also where standard output is a terminal: what others wrote in it steers none
 * (base/visible.h). */
int output_show(const char *p, size_t n);

/* Whether a descriptor is a terminal that is to be shown colours: not with NO_COLOR or TERM=dumb. */
int output_colour(int fd);

/* For what comes piece by piece (a nar_sink's write): writes it to standard output at once. */
int output_sink(void *user, const void *p, size_t n, struct err *e);

/* The two together: output_show for a text that comes piece by piece, a line of it at once.  user is a struct buf,
 * empty at first, for what has no line end yet; output_show_end writes that and releases it. */
int output_show_sink(void *user, const void *p, size_t n, struct err *e);
int output_show_end(struct buf *rest, struct err *e);

/* A JSON string literal, for machine-readable messages: bytes that are no UTF-8 become U+FFFD. */
void output_json_string(struct buf *b, const char *p, size_t n);

/* Opens /dev/null for each of 0, 1, 2 that the caller closed, so that no file opened later gets its number.  Ends the program when
 * that fails.  For main, first. */
void output_hold_descriptors(void);

#endif
