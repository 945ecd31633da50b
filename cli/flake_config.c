/* SPDX-License-Identifier: MIT
 *
 * Values of settings are strings, numbers, booleans and lists of strings (flake/flake.c sees to that); a list is its strings with
 * blanks between, as in nix.conf.
 */
#include "config.h"
#include "cli/flake_config.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/coerce.h"
#include "eval/list.h"

#include <string.h>

int flake_config_accepted;

/* What a flake never decides: code that runs, whom to trust, what is confined, what may be seen. */
static const char *const never[] = {
	"accept-flake-config", "access-tokens", "allow-unsafe-native-code-during-evaluation", "allowed-impure-env-vars",
	"allowed-uris", "allowed-users", "apt-folder", "build-hook", "builders", "crates-registry", "diff-hook",
	"eval-profile-file", "eval-profiler", "external-builders", "flake-registry", "go-archives", "impure-env",
	"json-log-path", "netrc-file", "nix-path", "npm-registry", "plugin-files", "post-build-hook", "pre-build-hook",
	"pure-eval", "python-index", "require-sigs", "restrict-eval", "run-diff-hook", "sandbox", "sandbox-paths",
	"sandbox-shell", "secret-key-files", "ssl-cert-file", "store", "substituters", "system", "trusted-public-keys",
	"trusted-substituters", "trusted-users",
};

static int is_never(const char *name)
{
	const char *bare = strncmp(name, "extra-", 6) ? name : name + 6;

	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (!strcmp(never[i], bare))
			return 1;
	return 0;
}

/* As nix.conf would have it; stays. */
static char *text_of(W v)
{
	struct buf b = BUF_INIT;
	struct str *s;

	if (w_type(v) == V_LIST) {
		struct list *l = list_of(v);
		for (uint32_t i = 0; i < l->n; i++) {
			s = want_string(l->e[i], "an element of a setting of the flake");
			buf_addf(&b, "%s%s", i ? " " : "", s->b);
		}
	} else if (w_type(v) == V_BOOL) {
		buf_adds(&b, v == W_TRUE ? "true" : "false");
	} else {
		s = w_get_str(coerce_string(v, COERCE_MORE));
		buf_add(&b, s->b, s->len);
	}
	buf_str(&b);
	return buf_detach(&b, NULL);
}

/* Names that are only said. */
struct left_out {
	struct buf forbidden, not_accepted;
};

static void note(struct buf *names, const char *name)
{
	buf_addf(names, "%s%s", names->len ? ", " : "", name);
}

static void take(struct left_out *o, const char *name, W value)
{
	char *text;

	if (is_never(name)) {
		note(&o->forbidden, name);
		return;
	}
	if (settings_why_not(name))
		return; /* it would change nothing */
	if (!flake_config_accepted) {
		note(&o->not_accepted, name);
		return;
	}
	if (settings_is_said(name))
		return;
	text = text_of(value);
	switch (settings_set_from(name, text, "the flake")) {
	case SETTING_BAD:
		throw_error(EK_EVAL, "the flake's setting '%s' is %s, not '%s'", name, settings_wanted(name), text);
	case SETTING_UNKNOWN:
		report_line("warning: the flake has an unknown setting '%s'", name);
		break;
	default:
		break;
	}
}

static void say(const struct left_out *o)
{
	if (report_settings.quiet)
		return;
	if (o->not_accepted.len)
		report_line("note: settings of the flake are not obeyed without --accept-flake-config: %s", o->not_accepted.p);
	if (o->forbidden.len && flake_config_accepted)
		report_line("note: settings that are never taken from a flake: %s", o->forbidden.p);
}

void flake_config_apply(W config)
{
	struct left_out o = { BUF_GC, BUF_GC };

	if (config == W_NULL)
		return;
	struct attrs *a = attrs_of(config);
	for (uint32_t i = 0; i < a->n; i++) {
		uint32_t k = attrs_order(a)[i];
		take(&o, sym_name(a->sh->sym[k])->b, force(a->v[k]));
	}
	say(&o);
}
