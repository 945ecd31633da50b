/* SPDX-License-Identifier: MIT
 *
 * What a folder offers to commands that were told of nothing but the folder.
 */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include "base/buf.h"

enum project_kind {
	PROJECT_FLAKE, /* it is a flake's, or nobody's: what is wrong then is said where flakes are opened */
	PROJECT_FILE,  /* an expression: shell.gx, shell.nix (for a shell), default.gx, default.nix */
	PROJECT_GO     /* a Go module or workspace (for a shell) */
};

struct project {
	enum project_kind kind;
	char *path;	/* malloc'd: the file; the folder of go.mod or go.work; NULL for a flake */
	char *fragment; /* malloc'd: what follows '#', "" without */
};

/* The project that a word of the command line names: a folder, or a file of expressions.  shell: it is to be developed. A
 * flake in the folder or above it comes first, then the nearest file, then the nearest go.mod.  Files above the
 * folder count only inside its git repository. */
void project_find(const char *word, int shell, struct project *out);

void project_release(struct project *p);

/* Appends the folder of the flake that commands take which are told of none: this one, or one above, up to the root of its
 * repository.  Negative when there is none. */
int project_flake_folder(struct buf *out);

/* 1 when the word is a file of expressions, or a folder with one that a package can come from. */
int project_is_file(const char *word);

#endif
