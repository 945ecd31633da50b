/* SPDX-License-Identifier: MIT
 *
 * A template in memory: the files of a flake to start from, fitted to what is here and written.
 */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include <stddef.h>

/* Zeroed is empty; malloc memory. */
struct template {
	struct template_file {
		char *name; /* below the folder; folders come before what is in them */
		char *text; /* of a file, or where a link leads; NULL: a folder */
		size_t len;
		int is_link;
		int is_program; /* may be run */
		int is_here; /* it is there already and the same */
	} *v;
	size_t n, cap;
};

/* Copies both; text NULL for a folder. */
void template_add(struct template *t, const char *name, const char *text, size_t len);
void template_add_link(struct template *t, const char *name, const char *target);
void template_release(struct template *t);

/* The last one that was added may be run. */
void template_set_program(struct template *t);

/* For the templates "go" and "go-workspace" of gx:std: puts the names of the module or workspace here in place of their
 * stand-ins. */
void template_put_names(struct template *t, const char *name);

/* For those that are for editors: what the project here is called, and where its program is. */
void template_put_project(struct template *t);

/* Writes it here and makes it known to git: what is here already has to be the same, or nothing is written, unless it is to be
 * replaced (force).  Returns an exit status after saying what went wrong. */
int template_write(struct template *t, int force);

/* 1 when there is something of that name. */
int template_exists(const char *name);

#endif
