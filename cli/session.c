/* SPDX-License-Identifier: MIT
 *
 * Entering a session copies about a kilobyte out of the variables and another one in; nothing that runs in it is slower
 * for that.
 */
#include "config.h"
#include "cli/session.h"
#include "base/alloc.h"
#include "base/source.h"
#include "builtins/addpath.h"
#include "builtins/compiled.h"
#include "builtins/drvs.h"
#include "builtins/fs.h"
#include "builtins/fs_members.h"
#include "builtins/store_ops.h"
#include "eval/compare.h"
#include "flake/call.h"
#include "flake/registry.h"
#include "flake/source.h"

#include <stdlib.h>
#include <string.h>

/* Everything a session has of its own. */
static const struct session_part *const tables[] = {
	source_session, eval_session, compare_session, addpath_session, compiled_session, drvs_session, fs_session,
	store_ops_session, fs_members_session, flake_source_session, flake_registry_session, flake_call_session, NULL,
};

/* The values of its variables while it is not entered, one after the other. */
struct session {
	char values[1];
};

static struct session *entered;

static size_t size_of_all(void)
{
	size_t n = 0;

	for (const struct session_part *const *t = tables; *t; t++)
		for (const struct session_part *p = *t; p->var; p++)
			n += p->size;
	return n;
}

/* Between two sessions the variables are zero: what uses them then finds nothing, rather than what is not its own. */
static void save(char *to)
{
	for (const struct session_part *const *t = tables; *t; t++)
		for (const struct session_part *p = *t; p->var; to += p->size, p++) {
			memcpy(to, p->var, p->size);
			memset(p->var, 0, p->size);
		}
}

static void load(const char *from)
{
	for (const struct session_part *const *t = tables; *t; t++)
		for (const struct session_part *p = *t; p->var; from += p->size, p++)
			memcpy(p->var, from, p->size);
}

void session_enter(struct session *s)
{
	if (s == entered)
		return;
	if (entered)
		save(entered->values);
	if (s)
		load(s->values);
	entered = s;
}

struct session *session_new(const struct eval_settings *settings, const struct builtin *const *const *builtins,
			    const struct eval_io *io)
{
	struct session *s = xcalloc(1, size_of_all()), *before = entered;
	const struct eval_settings copy = *settings; /* of the variable, it may be */

	session_enter(s);
	eval_settings = copy;
	eval_init(builtins, io);
	session_enter(before);
	return s;
}

void session_free(struct session *s)
{
	struct session *before = s == entered ? NULL : entered;

	if (!s)
		return;
	session_enter(s);
	for (const struct session_part *const *t = tables; *t; t++)
		for (const struct session_part *p = *t; p->var; p++)
			if (p->end)
				p->end();
	session_enter(before);
	free(s);
}
