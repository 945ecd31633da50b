/* SPDX-License-Identifier: MIT
 *
 * Which registry it is: as npm has it, but for that of one project (a .npmrc in the current folder) and of a scope.  Passwords in
 * these files are not read: what is fetched here is public.
 */
#include "config.h"
#include "fetch/npm.h"
#include "fetch/client.h"
#include "fetch/fetch_settings.h"

#include <stdlib.h>
#include <string.h>

static struct slice without_quotes(struct slice s)
{
	int quoted = s.n > 1 && (*s.p == '"' || *s.p == '\'') && s.p[s.n - 1] == *s.p;

	return quoted ? (struct slice){ s.p + 1, s.n - 2 } : s;
}

int npm_configured(struct slice text, struct buf *out)
{
	size_t start = out->len;

	while (text.n) {
		struct slice line = slice_trim(slice_cut(&text, '\n'));
		const char *equals = memchr(line.p, '=', line.n);

		if (!equals || !slice_eq(slice_trim((struct slice){ line.p, (size_t)(equals - line.p) }), SLICE("registry")))
			continue;
		struct slice value = { equals + 1, line.n - (size_t)(equals + 1 - line.p) };

		value = without_quotes(slice_trim(value));
		buf_trim(out, start);
		buf_add(out, value.p, value.n);
	}
	return out->len > start;
}

static int in_users_file(struct buf *out)
{
	const char *file = getenv("NPM_CONFIG_USERCONFIG"), *home = getenv("HOME");
	struct buf path = BUF_INIT;

	if (file && *file)
		buf_adds(&path, file);
	else if (home && *home)
		buf_addf(&path, "%s/.npmrc", home);
	int found = path.len && client_file(buf_str(&path), npm_configured, out);

	buf_release(&path);
	return found;
}

/* Nothing, where there is no npm.  That of the root folder is no project's. */
static void ask_npm(struct buf *out)
{
	static const char *const question[] = { "npm", "--prefix", "/", "config", "get", "registry" };

	client_answer(question, sizeof question / sizeof *question, out);
}

void npm_registry(struct buf *out)
{
	const char *chosen = fetch_settings.npm_registry;

	if (!chosen)
		chosen = getenv("npm_config_registry");
	if (!chosen)
		chosen = getenv("NPM_CONFIG_REGISTRY");
	if (chosen && *chosen)
		buf_adds(out, chosen);
	else if (!in_users_file(out))
		ask_npm(out);
}

int npm_address(const char *registry, struct slice file, struct buf *out, struct err *e)
{
	size_t n = strlen(registry);

	if (!n)
		return err_set(e, ERR_NOTFOUND,
			       "no registry of npm packages is known here: there is no npm, no NPM_CONFIG_REGISTRY, no setting "
			       "'npm-registry'");
	while (n && registry[n - 1] == '/')
		n--;
	buf_addf(out, "%.*s/%.*s", (int)n, registry, (int)file.n, file.p);
	return 0;
}
