/* SPDX-License-Identifier: MIT
 *
 * In which state a tree is, told without reading its files: which there are, and of each the device, inode, size, mode and times.
 * Two equal states are the same contents, since the system itself sets the time of an inode's last change; the same contents may
 * have any number of states.
 */
#ifndef FETCH_TREE_STATE_H
#define FETCH_TREE_STATE_H

#include "format/hash.h"
#include "format/nar.h"

/* The state of the tree at place.  1 when it stands for the contents; 0 when it does not, because something was changed a moment
 * ago and could change again without a trace, or could not be looked at.  The filter, which may be NULL, is told of what is below
 * place, as when an archive is made of it (format/nar.h); what it leaves out does not count. */
int tree_state(const char *place, const struct nar_filter *filter, struct hash *state);

#endif
