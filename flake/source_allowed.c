/* SPDX-License-Identifier: MIT
 *
 * What restricted evaluation may fetch: what it may read, and what the setting allowed-uris names.
 */
#include "config.h"
#include "flake/source_int.h"
#include "base/mem.h"
#include "builtins/fs.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "fetch/url.h"
#include "flake/registry.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char *source_file_path(const char *url)
{
	struct arena *mem = flake_arena();
	struct err e = ERR_INIT;
	struct slice path;
	struct url u;

	if (strncmp(url, "file:", 5))
		return NULL;
	if (url_parse(slice_of(url), URL_LENIENT, mem, &u, &e) || url_path_to_file(&u, mem, &path, &e))
		throw_err(&e);
	return arena_dup(mem, path.p, path.n);
}

/* Where a source lies that is here, NULL for one elsewhere. */
static const char *source_place(const struct input *in)
{
	const char *url = source_get(in, "url"), *file;

	if (input_where(in) == INPUT_AT_PATH)
		return source_get(in, "path");
	if (input_where(in) != INPUT_AT_URL || !url)
		return NULL;
	/* "git+file:", "tarball+file:" */
	file = strstr(url, "+file:");
	return source_file_path(file && file < strchr(url, ':') ? file + 1 : url);
}

/* Is it this beginning, or below it?  "https:" is all of a scheme; "https://github.co" is not the beginning of
 * "https://github.com". */
static int is_below(const char *uri, const char *p, size_t n)
{
	if (strncmp(uri, p, n))
		return 0;
	return !uri[n] || uri[n] == '/' || p[n - 1] == '/' || (p[n - 1] == ':' && strcspn(p, ":/") == n - 1);
}

/* The setting allowed-uris.  What climbs with ".." is below nothing. */
static int uri_is_allowed(const char *uri)
{
	const char *p = eval_settings.allowed_uris;

	for (; p && uri && *(p += strspn(p, " \t\n")); p += strcspn(p, " \t\n"))
		if (is_below(uri, p, strcspn(p, " \t\n")) && !strstr(uri, "..") && !strcasestr(uri, "%2e"))
			return 1;
	return 0;
}

void source_check_allowed(const struct input *given)
{
	const char *place;
	char real[PATH_MAX];

	/* A relative input is part of the flake that has it. */
	if (!eval_settings.restricted || input_is_relative(given))
		return;
	const struct input in = registry_resolve(given, REGISTRY_FOR_INPUTS);
	if (input_where(&in) == INPUT_WITH_PROGRAM)
		return;
	if (eval_settings.allowed_uris && (uri_is_allowed(source_text(&in)) || uri_is_allowed(source_get(&in, "url"))))
		return;
	place = source_place(&in);
	if (!place)
		throw_error(EK_DENIED, "access to URI '%s' is forbidden in restricted mode", source_text(&in));
	/* Where links lead counts, and what is elsewhere is denied before anyone learns whether it is there. */
	W path = realpath(place, real) ? w_path(real, strlen(real)) : fs_user_path(place, strlen(place));
	if (fs_stat(path) == FS_DENIED)
		fs_throw(FS_DENIED, fs_user_path(place, strlen(place)));
}
