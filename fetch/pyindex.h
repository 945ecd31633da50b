/* SPDX-License-Identifier: MIT
 *
 * Indexes of Python packages: where files of a project lie.  What they serve at INDEX/PROJECT/ is a page of links (PEP 503):
 *
 *     <a href="ADDRESS#sha256=…">FILE</a>
 *
 * Nothing on the page is believed: whoever fetches a file knows its hash.
 */
#ifndef FETCH_PYINDEX_H
#define FETCH_PYINDEX_H

#include "fetch/transfer.h"

/* Appends the address of the index that the user has chosen, read before a builder is confined: the setting python-index, else as
 * pip does, PIP_INDEX_URL, index-url in a pip.conf, and what the pip of this machine says (a tenth of a second); nothing without
 * one. */
void pyindex_address(struct buf *out);

/* Appends the value of index-url in the text of a pip.conf, of its section [global] or [download]; 0 when there is none. */
int pyindex_configured(struct slice text, struct buf *out);

/* Appends the address of the file that is called so, as the page at an address has it; 0 when it has not. */
int pyindex_link(struct slice page, const char *address, struct slice file, struct buf *out);

/* Asks an index (none: "") for the address of a file of a project, which is appended.  ERR_NOTFOUND when it has none. */
int pyindex_find(struct transfer_engine *g, const char *index, struct slice project, struct slice file, struct buf *out,
		 struct err *e);

#endif
