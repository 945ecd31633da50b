/* SPDX-License-Identifier: MIT
 *
 * Between sandbox.c (the starting side), sandbox_child.c (the builder's process until it runs its program) and
 * sandbox_mount.c (its file system).  In a child nothing is returned: the first failure is written to the status
 * descriptor as "<code><message>" and ends the process.
 */
#ifndef BUILD_SANDBOX_INT_H
#define BUILD_SANDBOX_INT_H

#include "build/sandbox.h"
#include "build/seccomp.h"

/* Where a child's descriptors are once child_descriptors ran. */
enum { CHILD_STATUS = 3, CHILD_SYNC = 4 };

/* Ends the child with the error (which need not be set: errno then). */
_Noreturn void child_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void child_fail_err(const struct err *e);

/* The filter that it will load at least. */
enum filter_flags child_filter(const struct sandbox_spec *spec);

/* Standard input from /dev/null, output and error to spec->output, status and sync where they belong, nothing else open. */
void child_descriptors(const struct sandbox_spec *spec, int status, int sync);

/* From the clone on: waits for the word on `sync` that the user mapping is there, sets everything up, and runs the
 * program. */
_Noreturn void child_namespaced(const struct sandbox_spec *spec, int status, int sync);

/* The same without namespaces. */
_Noreturn void child_bare(const struct sandbox_spec *spec, int status);

/* Makes the file system of the spec the only one this process sees; userns: who it is inside is its user, known by the number. */
void child_mounts(const struct sandbox_spec *spec, int userns);

#endif
