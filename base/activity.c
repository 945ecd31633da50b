/* SPDX-License-Identifier: MIT
 *
 * The one watcher is a variable of the process, as its standard error is: those who work are far below those who show it, and
 * have nothing to do with it but this.
 */
#include "config.h"
#include "base/activity.h"

#include <stddef.h>

static const struct activity_watcher *watcher;
static unsigned last_id;

void activity_watch(const struct activity_watcher *w)
{
	watcher = w;
}

unsigned activity_begin(enum activity_kind kind, const char *what)
{
	if (!watcher || !watcher->begin)
		return 0;
	/* 0 is nobody's, also after four thousand million. */
	if (!++last_id)
		++last_id;
	watcher->begin(last_id, kind, what);
	return last_id;
}

void activity_progress(unsigned id, uint64_t now, uint64_t all)
{
	if (id && watcher && watcher->progress)
		watcher->progress(id, now, all);
}

void activity_end(unsigned id, int rc)
{
	if (id && watcher && watcher->end)
		watcher->end(id, rc);
}
