/* SPDX-License-Identifier: MIT
 *
 * Go's directory hash "Hash1", and go.sum files, which list such sums.
 *
 *     go.sum  = { line "\n" }
 *     line    = module " " version [ "/go.mod" ] " " "h1:" base64(SHA-256)
 *     Hash1   = SHA-256 of the lines hex(SHA-256(contents)) "  " name "\n", sorted by name
 *
 * For a module the names are "module@version/path", for the "/go.mod" lines the one name is "go.mod".
 */
#ifndef GOLANG_H1_H
#define GOLANG_H1_H

#include "base/arena.h"
#include "golang/modpath.h"
#include "format/hash.h"

/* --- computing --- */

/* Files collected so far, in any order.  Zeroed is empty. */
struct h1 {
	struct h1_file *v;
	size_t n, cap;
	struct arena names;
};

void h1_release(struct h1 *h);

/* Adds a file; the name is copied. */
void h1_add(struct h1 *h, struct slice name, const struct hash *sha256);

/* The sum.  ERR_INVALID when a name holds a newline, which would make two sets of files look alike. */
int h1_finish(struct h1 *h, struct hash *out, struct err *e);

/* The sum of a go.mod file, as its line in go.sum has it. */
void h1_of_gomod(struct slice text, struct hash *out);

/* --- go.sum --- */

struct gosum_line {
	struct slice path, version;
	int go_mod; /* of the go.mod file, not of the module */
	struct hash h1;
};

/* Slices point into the text.  Zeroed is empty. */
struct gosum {
	struct gosum_line *v; /* sorted by path, version, go_mod; no repeats */
	size_t n, cap;
};

/* Reads a go.sum (or go.work.sum); the text must stay.  Sums of algorithms to come are passed over, as Go does.
 * ERR_INVALID with the line's number; two different sums for one thing are an error. */
int gosum_parse(struct gosum *g, struct slice text, struct err *e);
void gosum_release(struct gosum *g);

/* The line for a module or, with go_mod, for its go.mod; NULL when there is none. */
const struct gosum_line *gosum_find(const struct gosum *g, const struct module_version *m, int go_mod);

#endif
