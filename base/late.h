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
 *     LATE_LIBRARY(edit, GX_EDIT_LIBRARY, "el_", CALLS, POINTER);
 *     …
 *     if (!late_load(&edit_library, &e))
 *             edit.init(…);
 *
 * The names of the libraries come from configure, which links with each once (GX_LATE_LIBRARY in configure.ac).
 */
#ifndef BASE_LATE_H
#define BASE_LATE_H

#include "base/err.h"

#include <stddef.h>

struct late_library {
	const char *file;	  /* "libcurl.so.4" */
	const char *prefix;	  /* in front of each name */
	const char *const *names; /* of the calls */
	void **calls;		  /* where their addresses go */
	size_t n;
	int loaded;
};

/* Defines the structure `lib` with a pointer for each name of the list CALLS, and lib_library, which fills it.  POINTER
 * declares one of them: only the file itself can put the prefix in front of a name to get its type. */
#define LATE_LIBRARY(lib, file, prefix, CALLS, POINTER)                                                            \
	static struct {                                                                                            \
		CALLS(POINTER)                                                                                     \
	} lib;                                                                                                     \
	static const char *const lib##_names[] = { CALLS(LATE_NAME) };                                             \
	_Static_assert(sizeof lib == sizeof lib##_names, "a pointer for each name");                               \
	static struct late_library lib##_library = { file, prefix, lib##_names, (void **)&lib,                     \
						     sizeof lib / sizeof(void *), 0 }
#define LATE_NAME(f) #f,

/* Loads the library and finds its calls; does nothing the second time.  From any thread.  ERR_IO when it is not there. */
int late_load(struct late_library *lib, struct err *e);

#endif
