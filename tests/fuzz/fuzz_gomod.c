/* SPDX-License-Identifier: MIT
 *
 * Any bytes as go.mod, go.work and go.sum.  Whatever is accepted must hold only modules that are valid; a refusal has a reason.
 */
#include "config.h"
#include "golang/gomod.h"
#include "golang/h1.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mod(struct slice text, int is_work)
{
	struct err e = ERR_INIT;
	struct gomod g;

	if (gomod_parse(&g, text, is_work, &e)) {
		if (!e.msg)
			abort();
		err_release(&e);
		return;
	}
	for (size_t i = 0; i < g.nrequires; i++)
		if (modpath_check_module(&g.requires[i].m, NULL))
			abort();
	for (size_t i = 0; i < g.nreplaces; i++)
		if (g.replaces[i].new.version.n && modpath_check_module(&g.replaces[i].new, NULL))
			abort();
	gomod_release(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct err e = ERR_INIT;
	struct gosum g;

	mod(text, 0);
	mod(text, 1);
	if (gosum_parse(&g, text, &e)) {
		if (!e.msg)
			abort();
		err_release(&e);
		return 0;
	}
	for (size_t i = 0; i < g.n; i++) {
		struct module_version m = { g.v[i].path, g.v[i].version };

		if (gosum_find(&g, &m, g.v[i].go_mod) != &g.v[i])
			abort();
	}
	gosum_release(&g);
	return 0;
}
