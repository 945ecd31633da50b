/* SPDX-License-Identifier: MIT
 *
 * Libraries loaded when they are first used.
 *
 * libcurl, libarchive and libedit bring forty more with them: linked in the ordinary way they would cost every run three
 * times what evaluating a small expression does.  The file that uses such a library lists the calls it makes and makes them
 * through pointers:
 *
 *     #define CALLS(X) X(init) X(set)
 *     #define POINTER(f) __typeof__(el_##f) *f;
 *     #define SYMBOL(f) { "el_" #f, (void **)&el.f },
 *     static struct { CALLS(POINTER) } el;
 *     static const struct late_symbol symbols[] = { CALLS(SYMBOL) };
 *     static struct late_library lib = LATE_LIBRARY(GX_EDIT_LIBRARY, symbols);
 *
 * The names of the libraries come from configure, which links with each once (GX_LATE_LIBRARY in configure.ac).
 */
#ifndef BASE_LATE_H
#define BASE_LATE_H

#include "base/err.h"

#include <stddef.h>

struct late_symbol {
	const char *name;
	void **to; /* where its address goes */
};

struct late_library {
	const char *file; /* "libcurl.so.4" */
	const struct late_symbol *symbols;
	size_t n;
	int loaded;
};

#define LATE_LIBRARY(file, symbols) { file, symbols, sizeof(symbols) / sizeof *(symbols), 0 }

/* Loads the library and finds its calls; does nothing the second time.  From any thread.  ERR_IO when it is not there. */
int late_load(struct late_library *lib, struct err *e);

#endif
