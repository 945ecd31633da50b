/* SPDX-License-Identifier: MIT
 *
 * What the builder writes are words that each end with a NUL, which no word of bash can hold:
 *
 *     x NAME VALUE             an exported variable
 *     v NAME VALUE             another
 *     a NAME COUNT VALUE...    an array
 *     A NAME COUNT (KEY VALUE)...
 *     f NAME TEXT              a function, as declare -f has it
 *
 * The first output has them, the others are empty files.
 */
#include "config.h"
#include "cli/dev_setup.h"
#include "base/limits.h"
#include "cli/drv_add.h"
#include "cli/output.h"
#include "format/attrs_sh.h"
#include "store/object.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int dev_setup_is_read;

static const char script[] =
	"set -e\n"
	"[ ! -e \"${NIX_ATTRS_SH_FILE-}\" ] || . \"$NIX_ATTRS_SH_FILE\"\n"
	"export IN_NIX_SHELL=impure dontAddDisableDepTrack=1\n"
	". \"$stdenv/setup\"\n"
	"set +eu\n"
	"IFS=$' \\t\\n'\n"
	"gx_file=$NIX_BUILD_TOP/.gx-words\n"
	"gx_variable() {\n"
	"\tlocal gx_kind gx_key\n"
	/* Into a file and not through $(...): nothing is forked. */
	"\tdeclare -p \"$1\" >\"$gx_file\" 2>/dev/null && read -r _ gx_kind _ <\"$gx_file\" || return\n"
	"\tlocal -n gx_value=$1\n"
	"\tcase $gx_kind in\n"
	"\t*A*)\n"
	"\t\tprintf '%s\\0' A \"$1\" \"${#gx_value[@]}\"\n"
	"\t\tfor gx_key in \"${!gx_value[@]}\"; do printf '%s\\0' \"$gx_key\" \"${gx_value[$gx_key]}\"; done\n"
	"\t\t;;\n"
	"\t*a*)\n"
	"\t\tprintf '%s\\0' a \"$1\" \"${#gx_value[@]}\" \"${gx_value[@]}\"\n"
	"\t\t;;\n"
	"\t*x*) printf '%s\\0' x \"$1\" \"$gx_value\" ;;\n"
	"\t*) printf '%s\\0' v \"$1\" \"$gx_value\" ;;\n"
	"\tesac\n"
	"}\n"
	"gx_all() {\n"
	"\tlocal gx_letter gx_names gx_name\n"
	"\tfor gx_letter in {a..z} {A..Z} _; do\n"
	"\t\teval \"gx_names=(\\\"\\${!$gx_letter@}\\\")\"\n"
	"\t\tfor gx_name in \"${gx_names[@]}\"; do\n"
	"\t\t\tcase $gx_name in gx_*) ;; *) gx_variable \"$gx_name\" ;; esac\n"
	"\t\tdone\n"
	"\tdone\n"
	"\tdeclare -F >\"$gx_file.f\"\n"
	"\twhile read -r _ _ gx_name; do\n"
	"\t\tcase $gx_name in gx_*) continue ;; esac\n"
	"\t\tprintf '%s\\0' f \"$gx_name\"\n"
	"\t\tdeclare -f \"$gx_name\"\n"
	"\t\tprintf '\\0'\n"
	"\tdone <\"$gx_file.f\"\n"
	"}\n"
	"gx_outputs=()\n"
	"if [ -e \"${NIX_ATTRS_SH_FILE-}\" ]; then gx_outputs=(\"${outputs[@]}\")\n"
	"else for gx_output in $outputs; do gx_outputs+=(\"${!gx_output}\"); done; fi\n"
	"for gx_output in \"${gx_outputs[@]}\"; do : >\"$gx_output\"; done\n"
	"gx_all >\"${gx_outputs[0]}\"\n";

/* --- the derivation --- */

/* $stdenv, empty without. */
static struct slice find_stdenv(const struct dev_env *env)
{
	const struct jnode *member = json_member(env->options.json, SLICE("stdenv"));
	const struct slice *text = drv_env(env->drv, SLICE("stdenv"));

	if (env->options.json)
		return member && member->kind == JSON_STRING ? member->str : (struct slice){ "", 0 };
	return text ? *text : (struct slice){ "", 0 };
}

int dev_setup_wanted(const struct dev_env *env)
{
	struct slice stdenv = find_stdenv(env), dir = store_dir(env->store), builder = env->drv->builder;
	struct buf path = BUF_INIT;
	int found;

	if (dev_setup_is_read || builder.n < 5 || memcmp(builder.p + builder.n - 5, "/bash", 5) || stdenv.n <= dir.n ||
	    !slice_starts(stdenv, dir) || !slice_eq(env->drv->system, slice_of(build_system())))
		return 0;
	buf_addf(&path, "%s%.*s/setup", store_place(env->store)->real_store, (int)(stdenv.n - dir.n), stdenv.p + dir.n);
	found = !access(path.p, F_OK);
	buf_release(&path);
	return found;
}

/* Takes away what would be checked of an output that this one has not. */
static void drop_checks(struct drv *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->nenv; i++)
		if (!slice_in_words(d->env[i].key, "allowedReferences allowedRequisites disallowedReferences "
						   "disallowedRequisites"))
			d->env[kept++] = d->env[i];
	d->nenv = kept;
}

static void drop_structured_checks(struct dev_env *env, struct drv *d)
{
	struct jnode *json = env->options.json;
	struct jnode **p = &json->first;
	struct buf b = BUF_INIT;

	while (*p && !slice_eq((*p)->key, SLICE("outputChecks")))
		p = &(*p)->next;
	struct jnode *checks = *p;
	if (checks)
		*p = checks->next;
	json_tree_write(&b, json);
	if (checks)
		*p = checks;
	drv_set_env(d, SLICE("__json"), (struct slice){ b.p, b.len });
	buf_release(&b);
}

/* Its outputs are as those of any derivation, whatever they were. */
static void plain_outputs(struct drv *d)
{
	for (size_t i = 0; i < d->noutputs; i++) {
		struct drv_output *o = &d->outputs[i];

		if (o->kind == DRV_INPUT || o->kind == DRV_FIXED) {
			o->kind = DRV_DEFERRED;
			o->path = (struct slice){ "", 0 };
		}
	}
}

static void change(struct dev_env *env, struct drv *d, struct slice builder)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%.*s-env", (int)d->name.n, d->name.p);
	d->name = (struct slice){ arena_dup(&d->arena, name.p, name.len), name.len };
	buf_release(&name);
	d->nargs = 0;
	drv_add_arg(d, builder);
	drv_add_src(d, builder);
	plain_outputs(d);
	if (env->options.json) {
		drop_structured_checks(env, d);
		return;
	}
	drop_checks(d);
	drv_set_env(d, SLICE("name"), d->name);
}

int dev_setup_derive(struct dev_env *env, struct store_path *drv, struct err *e)
{
	struct buf text = BUF_INIT, fresh = BUF_INIT, builder = BUF_INIT;
	struct path_set none = PATH_SET_INIT;
	struct store_path file;
	struct drv d;
	int rc;

	drv_write(&text, env->drv);
	rc = drv_parse(&d, store_dir(env->store), env->drv->name, (struct slice){ text.p, text.len }, e);
	if (!rc) {
		rc = store_add_text(env->store, SLICE("dev-env.sh"), (struct slice){ script, sizeof script - 1 }, &none, &file, e);
		if (!rc) {
			store_add_path(env->store, &builder, &file);
			change(env, &d, (struct slice){ builder.p, builder.len });
			rc = drv_finish_in(env->store, &d, &fresh, drv, e);
		}
		rc = rc ? rc : drv_add(env->store, &d, (struct slice){ fresh.p, fresh.len }, drv, e);
		drv_release(&d);
	}
	path_set_release(&none);
	buf_release(&text);
	buf_release(&fresh);
	buf_release(&builder);
	return rc;
}

/* --- what was written --- */

struct taking {
	struct dev_env *env;
	const char *p, *end;
	struct buf rest, vars, functions; /* text for bash; members of JSON */
	int bad;
};

static struct slice next(struct taking *t)
{
	size_t n = t->p < t->end ? strlen(t->p) : 0;
	struct slice s = { t->p, n };

	t->bad |= t->p >= t->end;
	t->p += t->p < t->end ? n + 1 : 0;
	return s;
}

static struct slice next_value(struct taking *t)
{
	return dev_env_localise(t->env, next(t));
}

/* How many there are of something that is at least a byte each. */
static size_t next_count(struct taking *t)
{
	struct slice s = next(t);
	unsigned long n = t->bad ? 0 : strtoul(s.p, NULL, 10);

	t->bad |= n > (size_t)(t->end - t->p);
	return t->bad ? 0 : n;
}

static void open_json(struct buf *b, struct slice name, const char *kind)
{
	output_json_string(b, name.p, name.n);
	buf_addf(b, ":{\"type\":\"%s\",\"value\":", kind);
}

static void take_variable(struct taking *t, struct slice name)
{
	struct slice value = next_value(t);

	buf_addf(&t->rest, "%s=", name.p);
	attrs_sh_add_quoted(&t->rest, value);
	buf_addc(&t->rest, '\n');
	open_json(&t->vars, name, "var");
	output_json_string(&t->vars, value.p, value.n);
	buf_adds(&t->vars, "},");
}

/* pairs: keys come before values. */
static void take_array(struct taking *t, struct slice name, int pairs)
{
	size_t n = next_count(t);

	/* Not declared: that would be a variable of the function in which somebody reads it. */
	buf_addf(&t->rest, pairs ? "declare -gA %s=(" : "%s=(", name.p);
	open_json(&t->vars, name, pairs ? "associative" : "array");
	buf_addc(&t->vars, pairs ? '{' : '[');
	for (size_t i = 0; i < n && !t->bad; i++) {
		struct slice key = pairs ? next_value(t) : (struct slice){ "", 0 }, value = next_value(t);

		buf_adds(&t->vars, i ? "," : "");
		if (pairs) {
			buf_addc(&t->rest, '[');
			attrs_sh_add_quoted(&t->rest, key);
			buf_adds(&t->rest, "]=");
			output_json_string(&t->vars, key.p, key.n);
			buf_addc(&t->vars, ':');
		}
		attrs_sh_add_quoted(&t->rest, value);
		buf_addc(&t->rest, ' ');
		output_json_string(&t->vars, value.p, value.n);
	}
	buf_adds(&t->rest, ")\n");
	buf_addf(&t->vars, "%c},", pairs ? '}' : ']');
}

static void take_function(struct taking *t, struct slice name)
{
	struct slice text = next_value(t);
	const char *open = memchr(text.p, '{', text.n), *close = memrchr(text.p, '}', text.n);

	buf_add(&t->rest, text.p, text.n);
	/* JSON has what is between the brackets. */
	if (!open || !close)
		return;
	buf_adds(&t->functions, t->functions.len ? "," : "");
	output_json_string(&t->functions, name.p, name.n);
	buf_addc(&t->functions, ':');
	output_json_string(&t->functions, open + 1, (size_t)(close - open - 1));
}

/* Variables of the build and of bash itself. */
static int is_left_out(struct slice name)
{
	return slice_starts(name, SLICE("BASH")) || slice_starts(name, SLICE("COMP_")) ||
	       slice_starts(name, SLICE("NIX_ATTRS_")) ||
	       slice_in_words(name, "DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS HISTCMD HOME HOSTNAME IFS LINENO "
				    "NIX_BUILD_TOP NIX_ENFORCE_PURITY NIX_LOG_FD NIX_REMOTE OLDPWD OPTARG OPTERR OPTIND PIPESTATUS "
				    "PPID PS4 PWD RANDOM SECONDS SHELL SHELLOPTS SHLVL SRANDOM SSL_CERT_FILE TEMP TEMPDIR TERM TMP "
				    "TMPDIR TZ UID _");
}

static void take_exported(struct taking *t, struct slice name)
{
	struct slice value = next(t);

	if (slice_eq(name, SLICE("PATH")))
		t->env->bins = dev_env_localise(t->env, value);
	else if (!is_left_out(name))
		dev_env_put(t->env, name, value);
}

static void take_one(struct taking *t)
{
	struct slice kind = next(t), name = next(t);
	struct taking skipped = { .env = t->env, .p = t->p, .end = t->end };
	struct taking *to = is_left_out(name) ? &skipped : t;

	switch (kind.n == 1 ? kind.p[0] : 0) {
	case 'x': take_exported(to, name); break;
	case 'v': take_variable(to, name); break;
	case 'a': take_array(to, name, 0); break;
	case 'A': take_array(to, name, 1); break;
	case 'f': take_function(to, name); break;
	default: t->bad = 1; break;
	}
	t->p = to->p;
	t->bad |= to->bad;
	buf_release(&skipped.rest);
	buf_release(&skipped.vars);
	buf_release(&skipped.functions);
}

static struct slice keep(struct dev_env *env, struct buf *b)
{
	struct slice s = { arena_dup(&env->arena, b->len ? b->p : "", b->len), b->len };

	buf_release(b);
	return s;
}

/* All but those of the shell, the files of structured attributes, and their outputs, which not every setup makes variables. */
static void forget_variables(struct dev_env *env)
{
	size_t kept = 0;

	for (size_t i = 0; i < env->n; i++)
		if (slice_starts(env->v[i].name, SLICE("NIX_ATTRS_")) ||
		    (env->options.json && drv_output(env->drv, env->v[i].name)) ||
		    slice_in_words(env->v[i].name, "IN_NIX_SHELL GX_SHELL SSL_CERT_FILE GOTOOLCHAIN"))
			env->v[kept++] = env->v[i];
	env->n = kept;
}

static int take_all(struct dev_env *env, struct slice text, struct err *e)
{
	struct taking t = { .env = env, .p = text.p, .end = text.p + text.n };
	struct slice shell = slice_of(dev_env_get(env, "IN_NIX_SHELL"));

	forget_variables(env);
	while (t.p < t.end && !t.bad)
		take_one(&t);
	dev_env_put(env, SLICE("IN_NIX_SHELL"), shell);
	env->rest = keep(env, &t.rest);
	env->json_vars = keep(env, &t.vars);
	env->json_functions = keep(env, &t.functions);
	if (t.bad)
		return err_set(e, ERR_INVALID, "the environment that '%s' was to write is not one", env->name.p);
	return env->rest.n ? dev_env_add_file(env, "dev-env-rest.sh", env->rest, &env->rest_path, e) : 0;
}

int dev_setup_take(struct dev_env *env, const struct build_result *built, struct err *e)
{
	struct buf text = BUF_INIT;
	int rc = 0;

	env->built = built;
	for (size_t i = 0; i < built->n && !rc && !text.len; i++) {
		path_set_add(&env->refs, &built->v[i].path);
		rc = store_read(env->store, &built->v[i].path, LIMIT_DRV_TEXT, &text, e);
	}
	rc = rc ? rc : take_all(env, (struct slice){ buf_str(&text), text.len }, e);
	buf_release(&text);
	return rc;
}
