/* SPDX-License-Identifier: MIT
 *
 * nix-env: profiles of packages that are named by their names.
 *
 * What is decided about packages is decided in the language (nix_env_expr.c); here the question is put, what it came to is built,
 * and the profile switched (store/profile.h).
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/evaluation.h"
#include "cli/given.h"
#include "cli/nix/nix_env.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/realise.h"
#include "cli/report.h"
#include "cli/user_env.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "store/claims.h"
#include "store/profile.h"
#include "store/roots.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum operation {
	INSTALL = 1,
	UPGRADE,
	UNINSTALL,
	QUERY,
	SET,
	SET_FLAG,
	SWITCH_PROFILE,
	SWITCH,
	ROLLBACK,
	LIST,
	DELETE_GENERATIONS,
	LAST_OPERATION,

	O_FILE,
	O_PROFILE,
	O_ATTR,
	O_EXPR,
	O_PRESERVE,
	O_REMOVE_ALL,
	O_LT,
	O_LEQ,
	O_EQ,
	O_ALWAYS,
	O_DRY,
	O_PREBUILT,
	O_PRIORITY,
	O_INSTALLED,
	O_AVAILABLE,
	O_STATUS,
	O_COMPARE,
	O_NO_NAME,
	O_ATTR_PATH,
	O_SYSTEM_COLUMN,
	O_DRV_PATH,
	O_OUT_PATH,
	O_DESCRIPTION,
	O_META,
	O_JSON,
	O_XML,
	O_SYSTEM_FILTER,
	O_FROM_PROFILE
};

static const struct option operations[] = {
	{ INSTALL, 'i', "install", NULL, "Add packages to the profile." },
	{ UPGRADE, 'u', "upgrade", NULL, "Take newer versions of packages of the profile." },
	{ UNINSTALL, 'e', "uninstall", NULL, "Take packages out of the profile." },
	{ QUERY, 'q', "query", NULL, "List packages: of the profile, or with -a those there are." },
	{ SET, 0, "set", NULL, "Make the profile one package." },
	{ SET_FLAG, 0, "set-flag", NULL, "NAME VALUE PACKAGE...: set priority, keep or active of packages of the profile." },
	{ SWITCH_PROFILE, 'S', "switch-profile", NULL, "Let ~/.nix-profile lead to another profile." },
	{ SWITCH, 'G', "switch-generation", NULL, "Go back, or forth, to a generation." },
	{ ROLLBACK, 0, "rollback", NULL, "Go back to the generation before." },
	{ LIST, 0, "list-generations", NULL, "List the generations." },
	{ DELETE_GENERATIONS, 0, "delete-generations", NULL, "Delete generations: numbers, old, 30d, +5." },
	{ 0 }
};
static const struct option columns[] = {
	{ O_INSTALLED, 0, "installed", NULL, "Packages of the profile (the default)." },
	{ O_AVAILABLE, 'a', "available", NULL, "Packages there are." },
	{ O_STATUS, 's', "status", NULL, "Whether each is installed (I), present (P), to be had from a cache (S)." },
	{ O_COMPARE, 'c', "compare-versions", NULL, "Compare the versions of those installed with those there are." },
	{ O_NO_NAME, 0, "no-name", NULL, "Leave out the names." },
	{ O_ATTR_PATH, 'P', "attr-path", NULL, "Show attribute paths." },
	{ O_SYSTEM_COLUMN, 0, "system", NULL, "Show the systems." },
	{ O_DRV_PATH, 0, "drv-path", NULL, "Show the derivations." },
	{ O_OUT_PATH, 0, "out-path", NULL, "Show the outputs." },
	{ O_DESCRIPTION, 0, "description", NULL, "Show the descriptions." },
	{ O_META, 0, "meta", NULL, "With --json and --xml: show meta." },
	{ O_JSON, 0, "json", NULL, "Print JSON." },
	{ O_XML, 0, "xml", NULL, "Print XML." },
	{ 0 }
};
static const struct option options[] = {
	{ O_FILE, 'f', "file", "FILE", "Where packages are; ~/.nix-defexpr otherwise." },
	{ O_PROFILE, 'p', "profile", "PATH", "The profile; otherwise what ~/.nix-profile leads to." },
	{ O_ATTR, 'A', "attr", NULL, "The operands are attribute paths." },
	{ O_EXPR, 'E', "from-expression", NULL, "The operands are functions of all packages that choose one." },
	{ O_PRESERVE, 0, "preserve-installed", NULL, "With -i: keep packages of the same name." },
	{ O_REMOVE_ALL, 'r', "remove-all", NULL, "With -i: take all others out." },
	{ O_PRIORITY, 0, "priority", "N", "With -i: the smaller wins where two packages have the same file." },
	{ O_LT, 0, "lt", NULL, "With -u: only newer versions (the default)." },
	{ O_LEQ, 0, "leq", NULL, "With -u: also equal ones." },
	{ O_EQ, 0, "eq", NULL, "With -u: only equal ones." },
	{ O_ALWAYS, 0, "always", NULL, "With -u: also older ones." },
	{ O_DRY, 0, "dry-run", NULL, "Only say what would be done." },
	{ O_PREBUILT, 'b', "prebuilt-only", NULL, "Only packages that need not be built." },
	{ O_SYSTEM_FILTER, 0, "system-filter", "SYSTEM", NULL },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};
static const struct option_group groups[] = { { "Operations", operations },
					      { "What --query shows", columns },
					      { "Options", options },
					      { "Arguments", VALUE_OPTION_ARGUMENTS },
					      { 0 } };
static const struct program program = { "nix-env", "profiles of packages", "nix-env OPERATION [options] [NAME...]", NULL, groups };

struct line {
	struct nix_line l; /* first */
	enum operation op;
	struct classic c;
	struct build_options build;
	struct env_columns show;
	const char *file, *profile, *how, *priority;
	int attrs, exprs, preserve, remove_all;

	struct command command;
	char *path; /* of the profile */
	struct arena arena;
	char *answer; /* JSON */
};

static void take_column(struct env_columns *c, int id)
{
	switch (id) {
	case O_AVAILABLE: c->available = 1; break;
	case O_INSTALLED: c->available = 0; break;
	case O_STATUS: c->status = 1; break;
	case O_COMPARE: c->compare = 1; break;
	case O_NO_NAME: c->no_name = 1; break;
	case O_ATTR_PATH: c->attr_path = 1; break;
	case O_SYSTEM_COLUMN: c->system = 1; break;
	case O_DRV_PATH: c->drv_path = 1; break;
	case O_OUT_PATH: c->out_path = 1; break;
	case O_DESCRIPTION: c->description = 1; break;
	case O_META: c->meta = 1; break;
	case O_JSON: c->json = 1; break;
	case O_XML: c->xml = 1; break;
	}
}

static int on_option(struct nix_line *l, int id, char **values)
{
	struct line *s = (struct line *)l;

	if (id < LAST_OPERATION) {
		if (s->op && s->op != (enum operation)id)
			return usage_error(&program, "nix-env does one thing at a time");
		s->op = (enum operation)id;
		return 0;
	}
	if (id >= O_INSTALLED && id <= O_XML) {
		take_column(&s->show, id);
		return 0;
	}
	switch (id) {
	case O_FILE: s->file = values[0]; return 0;
	case O_PROFILE: s->profile = values[0]; return 0;
	case O_ATTR: s->attrs = 1; return 0;
	case O_EXPR: s->exprs = 1; return 0;
	case O_PRESERVE: s->preserve = 1; return 0;
	case O_REMOVE_ALL: s->remove_all = 1; return 0;
	case O_PRIORITY: s->priority = values[0]; return 0;
	case O_LT: s->how = "lt"; return 0;
	case O_LEQ: s->how = "leq"; return 0;
	case O_EQ: s->how = "eq"; return 0;
	case O_ALWAYS: s->how = "always"; return 0;
	case O_DRY: s->build.dry_run = 1; return 0;
	case O_PREBUILT: s->show.prebuilt = 1; return 0;
	case O_SYSTEM_FILTER: return 0;
	}
	return classic_take(&s->c, &program, id, values);
}

/* --- the profile --- */

static int find_profile(struct line *s, struct err *e)
{
	const char *named = s->profile ? s->profile : getenv("NIX_PROFILE");

	s->path = named ? profile_named(named, e) : profile_usual(&s->command.place, e);
	return s->path ? 0 : e->code;
}

/* --- the question --- */

struct question {
	struct line *s;
	struct buf json;
};

static void key(struct buf *b, const char *name)
{
	buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", name);
}

static void text(struct buf *b, const char *name, const char *value)
{
	key(b, name);
	output_json_string(b, value, strlen(value));
}

static void flag(struct buf *b, const char *name, int value)
{
	if (value) {
		key(b, name);
		buf_adds(b, "true");
	}
}

/* An operand with a slash is a path of the store, or a link to one. */
static int is_store_path(const char *word)
{
	return strchr(word, '/') != NULL;
}

static int add_given(struct line *s, struct buf *b, const char *word, struct err *e)
{
	struct store_path p;
	struct buf full = BUF_INIT;
	char *rest = NULL;
	struct slice name;
	int rc = store_resolve(s->command.store, word, &p, &rest, e);

	free(rest);
	if (rc)
		return rc;
	name = store_path_name(&p);
	buf_addf(b, "%s{\"name\":", b->p[b->len - 1] == '[' ? "" : ",");
	output_json_string(b, name.p, store_path_is_drv(&p) ? name.n - 4 : name.n);
	if (store_path_is_drv(&p)) {
		struct drv d;

		store_add_path(s->command.store, &full, &p);
		buf_addf(b, ",\"drvPath\":\"%s\"", buf_str(&full));
		rc = store_read_drv(s->command.store, &p, &d, e);
		if (!rc) {
			buf_addf(b, ",\"outPath\":\"%.*s\"}", (int)d.outputs[0].path.n, d.outputs[0].path.p);
			drv_release(&d);
		}
	} else {
		store_add_path(s->command.store, &full, &p);
		buf_addf(b, ",\"outPath\":\"%s\"}", buf_str(&full));
	}
	buf_release(&full);
	return rc;
}

static int add_store_paths(struct line *s, struct buf *b, const char *name, int whole, size_t first, struct err *e)
{
	int rc = 0, begun = 0;

	key(b, name);
	buf_addc(b, '[');
	for (size_t i = first; !rc && i < s->l.operands.n; i++) {
		struct store_path p;
		char *rest = NULL;

		if (s->exprs || !is_store_path(s->l.operands.v[i]))
			continue;
		if (whole) {
			rc = add_given(s, b, s->l.operands.v[i], e);
			continue;
		}
		rc = store_resolve(s->command.store, s->l.operands.v[i], &p, &rest, e);
		free(rest);
		buf_adds(b, begun++ ? ",\"" : "\"");
		if (!rc)
			store_add_path(s->command.store, b, &p);
		buf_addc(b, '"');
	}
	buf_addc(b, ']');
	return rc;
}

static void add_selectors(struct line *s, struct buf *b, size_t first)
{
	size_t n = 0;

	key(b, "selectors");
	buf_addc(b, '[');
	for (size_t i = first; i < s->l.operands.n; i++) {
		if (!s->exprs && is_store_path(s->l.operands.v[i]))
			continue;
		buf_adds(b, n++ ? "," : "");
		output_json_string(b, s->l.operands.v[i], strlen(s->l.operands.v[i]));
	}
	/* An upgrade without a name is of all. */
	if (!n && s->op == UPGRADE)
		buf_adds(b, "\"*\"");
	buf_addc(b, ']');
}

/* A link in an object to another: its files are wanted too. */
static int have_linked(struct store *s, const char *link, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof target - 1);
	struct store_path p;

	if (n < 0)
		return 0;
	target[n] = 0;
	return store_resolve(s, target, &p, NULL, NULL) ? 0 : store_have_files(s, &p, e);
}

/* The list of what is installed, where the profile has one. */
static int add_manifest(struct line *s, struct buf *b, struct err *e)
{
	struct store *store = s->command.store;
	struct buf path = BUF_INIT;
	struct store_path p;
	struct stat st;
	int rc;

	if (store_resolve(store, s->path, &p, NULL, NULL))
		return 0;
	rc = store_have_files(store, &p, e);
	store_add_real_path(store, &path, &p);
	buf_adds(&path, "/manifest.nix");
	if (!rc && !lstat(buf_str(&path), &st)) {
		rc = have_linked(store, buf_str(&path), e);
		buf_trim(&path, 0);
		store_add_path(store, &path, &p);
		buf_adds(&path, "/manifest.nix");
		text(b, "manifest", buf_str(&path));
	}
	buf_release(&path);
	return rc;
}

static int add_where(struct line *s, struct buf *b, struct err *e)
{
	struct buf path = BUF_INIT;
	const char *home;
	char *state;

	if (add_manifest(s, b, e))
		return e->code;
	if (!s->file && !profile_settings.xdg && (home = profile_home(e))) {
		buf_addf(&path, "%s/.nix-defexpr", home);
	} else if (!s->file && (state = profile_state_folder(e))) {
		buf_addf(&path, "%s/defexpr", state);
		free(state);
	}
	if (!s->file && !e->code)
		text(b, "defexpr", buf_str(&path));
	buf_release(&path);
	return e->code;
}

static int ask(struct line *s, struct buf *b, struct err *e)
{
	static const char *const ops[] = { [INSTALL] = "install", [UPGRADE] = "upgrade", [UNINSTALL] = "uninstall",
					   [QUERY] = "query",	  [SET] = "install",	 [SET_FLAG] = "flagged" };
	size_t first = s->op == SET_FLAG ? 2 : 0;
	int rc;

	buf_addc(b, '{');
	text(b, "op", ops[s->op]);
	text(b, "how", s->how ? s->how : "lt");
	flag(b, "attrs", (s->attrs || s->exprs) && s->l.operands.n > 0);
	flag(b, "preserve", s->preserve || s->show.attr_path); /* -P is either */
	flag(b, "removeAll", s->remove_all || s->op == SET);
	flag(b, "available", s->show.available || s->show.compare);
	flag(b, "wantInstalled", !s->show.available || s->show.compare || s->show.status);
	flag(b, "compare", s->show.compare);
	flag(b, "outPaths", s->show.out_path || s->show.status || s->show.prebuilt);
	flag(b, "drvPaths", s->show.drv_path);
	flag(b, "meta", s->show.meta || s->show.json || s->show.description);
	if (s->priority) {
		key(b, "priority");
		buf_addf(b, "%ld", strtol(s->priority, NULL, 10));
	}
	if (s->op == SET_FLAG) {
		text(b, "flag", s->l.operands.v[0]);
		text(b, "value", s->l.operands.v[1]);
	}
	add_selectors(s, b, first);
	rc = add_where(s, b, e);
	if (!rc && (s->op == INSTALL || s->op == SET))
		rc = add_store_paths(s, b, "given", 1, 0, e);
	else if (!rc)
		rc = add_store_paths(s, b, "storePaths", 0, first, e);
	buf_addc(b, '}');
	return rc;
}

/* With -A and -E a list of { path, value }: what each operand chooses. */
static W selected(struct line *s, W root, W args)
{
	static const char text_of_add[] = "path: value: rest: [ { inherit path value; } ] ++ rest";
	W add = eval_text(text_of_add, sizeof text_of_add - 1, "«nix-env»", "/"), all = eval_text("[ ]", 3, "«nix-env»", "/");

	for (size_t i = s->l.operands.n; i-- > 0;) {
		const char *word = s->l.operands.v[i];
		struct attr_place at;
		W v;

		if (is_store_path(word) && !s->exprs)
			continue;
		v = s->exprs ? call1(given_word(word, "«expression»"), root) : eval_attr_path(root, word, args, &at);
		all = call1(call2(add, w_cstr(s->exprs ? "" : word), eval_auto_call(v, args)), all);
	}
	return all;
}

static void answer(void *arg)
{
	struct question *q = arg;
	struct line *s = q->s;
	W args = given_args(&s->c.eval), root = W_NULL;
	W f = eval_text(nix_env_expression, strlen(nix_env_expression), "«nix-env»", "/");
	W question = call1(eval_builtin("fromJSON"), w_str(q->json.p, q->json.len, 0));

	if (s->file || s->attrs || s->exprs)
		root = s->c.eval.file ? eval_auto_call(given_value(&s->c.eval), args) : W_NULL;
	if (root != W_NULL && (s->attrs || s->exprs) && s->l.operands.n)
		root = selected(s, root, args);
	W json = call1(eval_builtin("toJSON"), call1(call2(f, question, root), args));
	s->answer = xstrndup(w_get_str(json)->b, w_get_str(json)->len);
}

/* The answer as a tree in the line's arena; NULL after saying why there is none. */
static const struct jnode *put(struct line *s, int *status)
{
	struct question q = { s, BUF_INIT };
	struct jnode *n = NULL;
	struct err e = ERR_INIT;

	if (ask(s, &q.json, &e)) {
		*status = command_fail(&e);
	} else {
		s->c.eval.file = s->file;
		s->c.eval.open_store = s->command.store;
		*status = evaluation_run(&s->c.eval, 0, answer, &q);
	}
	if (!*status && json_tree_parse(&s->arena, slice_of(s->answer), &n, &e))
		*status = command_fail(&e);
	if (!*status && json_member(n, SLICE("error"))) {
		report_error("%.*s", (int)json_member(n, SLICE("error"))->str.n, json_member(n, SLICE("error"))->str.p);
		*status = EXIT_FAILED;
	}
	buf_release(&q.json);
	return *status ? NULL : n;
}

/* --- what it comes to --- */

static struct slice member_text(const struct jnode *o, const char *name)
{
	const struct jnode *n = json_member(o, slice_of(name));

	return n && n->kind == JSON_STRING ? n->str : SLICE("");
}

static int add_target(struct line *s, const struct jnode *element, struct build_targets *t, struct err *e)
{
	struct slice drv = member_text(element, "drvPath"), names[64];
	struct store_path p;
	size_t n = 0;
	int rc;

	if (!drv.n)
		return 0;
	rc = store_path_parse(store_dir(s->command.store), drv, &p, e);
	for (const struct jnode *o = json_member(element, SLICE("outputs"))->first; o && n < 64; o = o->next)
		names[n++] = member_text(o, "name");
	if (!rc)
		build_targets_add(t, &p, names, n);
	return rc;
}

static int build_new(struct line *s, const struct jnode *list, struct err *e)
{
	struct build_targets targets = { NULL, 0, 0 };
	struct build_result res = { NULL, 0, 0 };
	int rc = 0;

	for (const struct jnode *n = list->first; n && !rc; n = n->next)
		rc = add_target(s, n, &targets, e);
	if (!rc && targets.n)
		rc = realise(s->command.store, &s->build, &targets, &res, e);
	build_result_release(&res);
	build_targets_release(&targets);
	return rc;
}

/* An element as the manifest has it. */
static struct jnode *manifest_entry(struct arena *a, const struct jnode *element)
{
	struct jnode *n = json_node(a, JSON_OBJECT), *outputs = json_node(a, JSON_ARRAY), *last = NULL,
		     *meta = json_node(a, JSON_OBJECT);
	struct jnode *known = json_member(element, SLICE("meta"));

	for (const struct jnode *o = json_member(element, SLICE("outputs"))->first; o; o = o->next) {
		struct jnode *out = json_node(a, JSON_OBJECT);

		json_set(out, SLICE("outPath"), json_string(a, member_text(o, "path")));
		json_set(n, member_text(o, "name"), out);
		json_append(outputs, &last, json_string(a, member_text(o, "name")));
		if (o == json_member(element, SLICE("outputs"))->first)
			json_set(n, SLICE("outPath"), json_string(a, member_text(o, "path")));
	}
	json_set(n, SLICE("name"), json_string(a, member_text(element, "name")));
	json_set(n, SLICE("outputs"), outputs);
	if (member_text(element, "system").n)
		json_set(n, SLICE("system"), json_string(a, member_text(element, "system")));
	json_set(n, SLICE("type"), json_string(a, SLICE("derivation")));
	json_set(n, SLICE("meta"), known ? known : meta); /* which takes it out of the element: last */
	return n;
}

static int add_element(struct line *s, struct user_env *env, const struct jnode *element, struct err *e)
{
	const struct jnode *priority = json_member(element, SLICE("priority")), *active = json_member(element, SLICE("active"));
	struct store_path paths[64];
	size_t n = 0;
	int rc = 0;

	for (const struct jnode *o = json_member(element, SLICE("outputs"))->first; o && n < 64 && !rc; o = o->next)
		rc = store_path_parse(store_dir(s->command.store), member_text(o, "path"), &paths[n++], e);
	if (!rc)
		user_env_add(env, s->command.store, !active || active->kind != JSON_FALSE,
			     priority && priority->kind == JSON_INT ? priority->i : 5, paths, n);
	nix_text_add(&env->list, manifest_entry(&s->arena, element));
	buf_addc(&env->list, ' ');
	return rc;
}

static int make_env(struct line *s, const struct jnode *elements, struct store_path *out, struct err *e)
{
	struct user_env env = { .name = "user-environment", .manifest = "manifest.nix" };
	int rc = 0;

	buf_adds(&env.list, "[ ");
	for (const struct jnode *n = elements->first; n && !rc; n = n->next)
		rc = add_element(s, &env, n, e);
	buf_addc(&env.list, ']');
	rc = rc ? rc : user_env_make(&env, s->command.store, &s->build, out, e);
	user_env_release(&env);
	return rc;
}

/* --set: the profile is the one package. */
static int first_output(struct line *s, const struct jnode *elements, struct store_path *out, struct err *e)
{
	const struct jnode *outputs = elements->first ? json_member(elements->first, SLICE("outputs")) : NULL;

	if (!outputs || !outputs->first || elements->first->next)
		return err_set(e, ERR_INVALID, "--set needs exactly one package");
	return store_path_parse(store_dir(s->command.store), member_text(outputs->first, "path"), out, e);
}

static int change(struct line *s)
{
	struct store_path p;
	struct err e = ERR_INIT;
	int status = 0, lock = profile_lock(s->path, &e);
	const struct jnode *a = lock < 0 ? NULL : put(s, &status);
	int rc = 0;

	for (const struct jnode *n = a ? json_member(a, SLICE("say"))->first : NULL; n; n = n->next)
		report_line("%.*s", (int)n->str.n, n->str.p);
	if (a)
		rc = build_new(s, json_member(a, SLICE("build")), &e);
	if (a && !rc && !s->build.dry_run) {
		const struct jnode *elements = json_member(a, SLICE("elements"));

		rc = s->op == SET ? first_output(s, elements, &p, &e) : make_env(s, elements, &p, &e);
		rc = rc ? rc : profile_set(s->command.store, s->path, &p, &e);
	}
	profile_unlock(s->path, lock);
	return status ? status : e.code ? build_options_status(&s->build, &e) : 0;
}

static int query(struct line *s)
{
	int status = 0;
	const struct jnode *a = put(s, &status);

	if (!a)
		return status;
	const struct jnode *available = json_member(a, SLICE("available")), *installed = json_member(a, SLICE("installed"));
	return env_query_print(s->command.store, &s->show, s->show.available ? available : installed,
			       s->show.available ? installed : available);
}

/* --- generations --- */

static int list(struct line *s, struct err *e)
{
	struct generations g;
	struct buf b = BUF_INIT;
	int rc = profile_generations(s->path, &g, e);

	for (size_t i = 0; !rc && i < g.n; i++) {
		char when[32] = "";
		struct tm t;

		if (localtime_r(&g.v[i].made, &t))
			strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &t);
		buf_addf(&b, "%4u   %s   %s\n", g.v[i].number, when, g.v[i].number == g.current ? "(current)" : "");
	}
	generations_release(&g);
	if (rc)
		return rc;
	command_print(&b);
	return 0;
}

static void say_removed(void *arg, const struct generation *g)
{
	(void)arg;
	report_line("removing profile version %u", g->number);
}

static int delete_one(struct line *s, const char *word, struct err *e)
{
	struct generation_filter f = { .each = say_removed, .arg = s, .dry = s->build.dry_run };
	size_t n = strlen(word);
	unsigned number;
	char *end;

	number = (unsigned)strtoul(word + (*word == '+'), &end, 10);
	if (!strcmp(word, "old")) {
		f.old = 1;
	} else if (n > 1 && word[n - 1] == 'd' && end == word + n - 1) {
		f.before = time(NULL) - (time_t)number * 86400;
	} else if (*end || !number) {
		return err_set(e, ERR_INVALID, "'%s' names no generations: a number, +N, Nd or 'old'", word);
	} else if (*word == '+') {
		f.keep = number;
	} else {
		f.numbers = &number;
		f.n = 1;
	}
	return profile_delete(s->path, &f, e);
}

static int delete_all(struct line *s, struct err *e)
{
	int lock = profile_lock(s->path, e), rc = lock < 0 ? e->code : 0;

	for (size_t i = 0; !rc && i < s->l.operands.n; i++)
		rc = delete_one(s, s->l.operands.v[i], e);
	profile_unlock(s->path, lock);
	return rc;
}

static int switch_generation(struct line *s, unsigned number, struct err *e)
{
	unsigned to = 0;
	int lock = profile_lock(s->path, e), rc = lock < 0 ? e->code : profile_switch(s->path, number, &to, e);

	profile_unlock(s->path, lock);
	if (!rc)
		report_line("switching profile to version %u", to);
	return rc;
}

/* ~/.nix-profile leads there from now on. */
static int switch_profile(struct line *s, struct err *e)
{
	const char *home = profile_home(e);
	struct buf link = BUF_INIT, temporary = BUF_INIT;
	char *state;
	int rc = home ? 0 : e->code;

	if (!rc && s->l.operands.n != 1)
		rc = err_set(e, ERR_INVALID, "--switch-profile needs one profile");
	if (!rc && profile_settings.xdg && (state = profile_state_folder(e))) {
		buf_addf(&link, "%s/profile", state);
		free(state);
	} else if (!rc) {
		buf_addf(&link, "%s/.nix-profile", home);
	}
	buf_addf(&temporary, "%s.tmp-%ld", buf_str(&link), (long)getpid());
	if (!rc && (symlink(s->l.operands.v[0], buf_str(&temporary)) || rename(buf_str(&temporary), buf_str(&link))))
		rc = err_errno(e, "making the link '%s'", buf_str(&link));
	buf_release(&link);
	buf_release(&temporary);
	return rc;
}

/* --- the command --- */

static int needs(const struct line *s)
{
	size_t n = s->l.operands.n;

	if (s->op == SWITCH && (n != 1 || !strtoul(s->l.operands.v[0], NULL, 10)))
		return usage_error(&program, "--switch-generation needs the number of one");
	if (s->op == SET_FLAG && n < 3)
		return usage_error(&program, "--set-flag needs a name, a value and packages");
	if (s->op == DELETE_GENERATIONS && !n)
		return usage_error(&program, "--delete-generations needs to know which");
	if ((s->op == ROLLBACK || s->op == LIST) && n)
		return usage_error(&program, "no operands are wanted");
	return 0;
}

static int run(struct line *s)
{
	struct err e = ERR_INIT;
	int rc;

	if ((rc = needs(s)) || (rc = nix_open(&s->command, &s->l, s->op == QUERY || s->op == LIST)))
		return rc;
	if (find_profile(s, &e))
		return command_end(&s->command, command_fail(&e));
	progress_begin();
	switch (s->op) {
	case QUERY: rc = query(s); break;
	case SWITCH_PROFILE: switch_profile(s, &e); break;
	case SWITCH: switch_generation(s, (unsigned)strtoul(s->l.operands.v[0], NULL, 10), &e); break;
	case ROLLBACK: switch_generation(s, 0, &e); break;
	case LIST: list(s, &e); break;
	case DELETE_GENERATIONS: delete_all(s, &e); break;
	default: rc = change(s); break;
	}
	progress_finish();
	return command_end(&s->command, e.code ? command_fail(&e) : rc);
}

int nix_env_run(int argc, char **argv)
{
	struct line s = { .l = { .program = &program, .option = on_option }, .arena = ARENA_INIT };
	int rc;

	s.command.program = &program;
	build_options_init(&s.build);
	s.c.eval.build = &s.build;
	rc = nix_line_read(&s.l, argc, argv);
	if (rc == COMMAND_GO)
		rc = s.op ? run(&s) : usage_error(&program, "no operation was named");
	arena_release(&s.arena);
	free(s.answer);
	free(s.path);
	nix_line_release(&s.l);
	return rc;
}
