/* SPDX-License-Identifier: MIT
 *
 * What sources are fetched with from http, https and file addresses.  Everything here throws.
 */
#ifndef FLAKE_DOWNLOAD_H
#define FLAKE_DOWNLOAD_H

#include "base/json_tree.h"

struct download {
	const char *url;
	const char *bearer; /* a token for its host alone, NULL for none */
	const char *etag;   /* of what is here already, NULL for nothing */

	/* Something older is here: that the server cannot be asked, or takes no more questions for now, is not thrown. */
	int older_will_do;
	const char *failed; /* but said here, in the flake arena; NULL: it was asked */

	/* What the server said, in the flake arena; NULL: nothing. */
	int not_modified;
	const char *new_etag, *immutable;
};

/* Writes what is there to a file, which is empty. */
void download_file(struct download *d, int fd);

/* The JSON document that is there, in the flake arena; NULL when the server could not be asked. */
struct jnode *download_json(struct download *d);

/* The text that is there, in the flake arena; a NUL ends it. */
const char *download_text(struct download *d);

/* A file without a name in a folder, gone when it is closed.  On the disk: what comes may be larger than memory. */
int download_nameless(int dirfd);

#endif
