/* SPDX-License-Identifier: MIT
 *
 * Roots, garbage, checks, and what a client wants of its connection.
 */
#include "config.h"
#include "remote/daemon_int.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "store/gc.h"
#include "store/optimise.h"
#include "store/roots.h"
#include "store/verify.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- roots --- */

int op_temp_root(struct client *c, enum operation op, struct err *e)
{
	struct store_path p;
	int rc = wire_get_path(&c->w, c->dir, 0, &p, e);

	(void)op;
	if (rc)
		return rc;
	client_begin(c);
	return client_done_well(c, store_add_temp_root(c->s, &p, e), e);
}

static int get_file_name(struct client *c, struct buf *out, struct err *e)
{
	int rc = wire_get_text(&c->w, PATH_MAX - 1, out, e);

	if (!rc && (!out->len || out->p[0] != '/' || memchr(out->p, 0, out->len)))
		rc = err_set(e, ERR_INVALID, "'%s' is no absolute path", buf_str(out));
	return rc;
}

int op_perm_root(struct client *c, enum operation op, struct err *e)
{
	struct buf link = BUF_INIT;
	struct store_path p;
	int rc = wire_get_path(&c->w, c->dir, 0, &p, e);

	(void)op;
	rc = rc ? rc : get_file_name(c, &link, e);
	if (!rc) {
		client_begin(c);
		rc = client_want_trust(c, "a root cannot be made here", e);
		rc = rc ? rc : store_add_root_link(c->s, link.p, &p, e);
		rc = rc ? rc : client_done(c, e);
		if (!rc)
			wire_put_text(&c->w, (struct slice){ link.p, link.len });
	}
	buf_release(&link);
	return rc;
}

int op_indirect_root(struct client *c, enum operation op, struct err *e)
{
	struct buf link = BUF_INIT;
	int rc = get_file_name(c, &link, e);

	(void)op;
	if (!rc) {
		client_begin(c);
		rc = client_done_well(c, store_add_indirect_root(c->s, link.p, e), e);
	}
	buf_release(&link);
	return rc;
}

/* Once a way to wait for a collector; a temporary root does. */
int op_sync_with_gc(struct client *c, enum operation op, struct err *e)
{
	(void)op;
	client_begin(c);
	return client_done_well(c, 0, e);
}

struct roots {
	struct wire list; /* as they are sent */
	uint64_t n;
	struct client *c;
};

/* What processes of others have open is nobody's business but a trusted user's. */
static void add_root(void *arg, const char *from, const struct store_path *p)
{
	struct roots *r = arg;

	wire_put_string(&r->list, !r->c->o->trusted && (*from == '{' || !strncmp(from, "/proc/", 6)) ? "{censored}" : from);
	wire_put_path(&r->list, r->c->dir, p);
	r->n++;
}

int op_find_roots(struct client *c, enum operation op, struct err *e)
{
	struct roots r = { .c = c };
	int rc;

	(void)op;
	client_begin(c);
	wire_init(&r.list, -1, -1, "nobody");
	rc = store_each_root(c->s, ROOTS_ALL, add_root, &r, e);
	rc = rc ? rc : client_done(c, e);
	if (!rc) {
		wire_put_number(&c->w, r.n);
		wire_put(&c->w, r.list.later.p, r.list.later.len);
	}
	wire_release(&r.list);
	return rc;
}

/* --- garbage --- */

static int get_gc(struct client *c, struct gc_options *o, struct path_set *paths, struct err *e)
{
	static const enum gc_action actions[] = { GC_LIST_LIVE, GC_LIST_DEAD, GC_DELETE_DEAD, GC_DELETE_PATHS };
	uint64_t action = 0, once;
	int rc = wire_get_bounded(&c->w, 3, &action, e);

	o->action = actions[action < 4 ? action : 0];
	rc = rc ? rc : wire_get_paths(&c->w, c->dir, paths, e);
	rc = rc ? rc : wire_get_bool(&c->w, &o->ignore_liveness, e);
	rc = rc ? rc : wire_get_number(&c->w, &o->max_freed, e);
	for (int i = 0; !rc && i < 3; i++)
		rc = wire_get_number(&c->w, &once, e);
	return rc;
}

static void add_collected(void *arg, const char *base)
{
	struct roots *r = arg;
	struct buf b = BUF_INIT;

	buf_addf(&b, "%.*s/%s", (int)r->c->dir.n, r->c->dir.p, base);
	wire_put_text(&r->list, (struct slice){ b.p, b.len });
	buf_release(&b);
	r->n++;
}

int op_collect_garbage(struct client *c, enum operation op, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	struct roots r = { .c = c };
	struct gc_options o = { .paths = &paths, .each = add_collected, .arg = &r };
	struct gc_result result = { 0 };
	int rc = get_gc(c, &o, &paths, e);

	(void)op;
	wire_init(&r.list, -1, -1, "nobody");
	if (!rc) {
		client_begin(c);
		/* "No limit" is the largest number there. */
		o.max_freed = o.max_freed >= INT64_MAX ? 0 : o.max_freed;
		if (o.ignore_liveness)
			rc = err_set(e, ERR_DENIED, "what is alive is not deleted for others");
		rc = rc ? rc : store_gc(c->s, &o, &result, e);
		rc = rc ? rc : client_done(c, e);
	}
	if (!rc) {
		wire_put_number(&c->w, r.n);
		wire_put(&c->w, r.list.later.p, r.list.later.len);
		wire_put_number(&c->w, result.freed);
		wire_put_number(&c->w, 0);
	}
	wire_release(&r.list);
	path_set_release(&paths);
	return rc;
}

/* --- checks --- */

int op_optimise(struct client *c, enum operation op, struct err *e)
{
	struct optimise_result r;

	(void)op;
	client_begin(c);
	return client_done_well(c, store_optimise(c->s, NULL, &r, e), e);
}

static int on_problem(void *arg, enum verify_problem what, const struct store_path *p, const char *detail)
{
	static const char *const words[] = {
		[VERIFY_MISSING] = "is gone",
		[VERIFY_CONTENTS] = "was changed: its hash is now",
		[VERIFY_FORM] = "is not in the form of a store object:",
		[VERIFY_UNREADABLE] = "cannot be read:",
		[VERIFY_DANGLING] = "is gone, and other objects refer to it",
		[VERIFY_CLAIM] = "is not what it should be:",
	};
	struct client *c = arg;
	struct buf b = BUF_INIT;

	buf_addf(&b, "path '%.*s/%s' %s %s", (int)c->dir.n, c->dir.p, p->base, words[what], detail);
	while (b.len && b.p[b.len - 1] == ' ')
		buf_trim(&b, b.len - 1);
	client_say(c, (struct slice){ b.p, b.len });
	buf_release(&b);
	return 0;
}

int op_verify(struct client *c, enum operation op, struct err *e)
{
	struct verify_options o = { .problem = on_problem, .arg = c, .content_hash = c->o->build->hooks.content_hash };
	size_t bad = 0;
	int repair = 0, rc = wire_get_bool(&c->w, &o.check_contents, e);

	(void)op;
	rc = rc ? rc : wire_get_bool(&c->w, &repair, e);
	if (rc)
		return rc;
	client_begin(c);
	if (repair)
		rc = err_set(e, ERR_DENIED,
			     "what is damaged is not repaired for others: 'gx store verify --repair', where the store is, does");
	rc = rc ? rc : store_verify(c->s, &o, &bad, e);
	rc = rc ? rc : client_done(c, e);
	if (!rc)
		wire_put_number(&c->w, bad > 0);
	return rc;
}

/* --- options --- */

/* Settings that have a place of their own in the message, in its order; NULL: nothing is made of that number any more. */
static const char *const numbers[] = { "keep-failed", "keep-going", "fallback", NULL, "max-jobs", "max-silent-time",
				       NULL, NULL, NULL, NULL, "cores", "substitute" };

enum { N_NUMBERS = sizeof numbers / sizeof *numbers };

/* Whether each of the words is allowed, or is without a slash at its end. */
static int all_in(const char *words, const char *allowed)
{
	for (const char *p = words; *(p += strspn(p, " ")); p += strcspn(p, " ")) {
		struct slice w = { p, strcspn(p, " ") };
		char with_slash[PATH_MAX];

		snprintf(with_slash, sizeof with_slash, "%.*s/", (int)w.n, w.p);
		if (!slice_in_words(w, allowed) && !slice_in_words(slice_of(with_slash), allowed))
			return 0;
	}
	return 1;
}

/* What anybody may ask for: it is about this connection alone, and lets nothing in. */
static int is_harmless(const struct client *c, const char *name, const char *value)
{
	static const char *const names[] = { "timeout", "build-timeout", "max-silent-time", "connect-timeout", "log-lines" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(name, names[i]))
			return 1;
	if (!strcmp(name, "substituters") || !strcmp(name, "extra-substituters"))
		return all_in(value, cache_settings.substituters ? cache_settings.substituters : USUAL_SUBSTITUTERS) ||
		       (c->o->trusted_substituters && all_in(value, c->o->trusted_substituters));
	/* To be built here alone. */
	return !strcmp(name, "builders") && !*value;
}

/* In Nix's words. */
static void say_ignored(struct client *c, const char *name, const char *value)
{
	struct buf b = BUF_INIT;

	if (!strcmp(name, "substituters") || !strcmp(name, "extra-substituters"))
		buf_addf(&b, "warning: ignoring untrusted substituter '%s', you are not a trusted user", value);
	else
		buf_addf(&b, "warning: ignoring the client-specified setting '%s', because it is a restricted setting and you are "
			 "not a trusted user", name);
	client_note(c, buf_str(&b));
	buf_release(&b);
}

/* Settings that say who a client is, or where things are here; another machine's make no sense of them. */
static int is_ours(const char *name)
{
	static const char *const names[] = { "store", "trusted-users", "allowed-users", "experimental-features", "plugin-files",
					     "sandbox-shell", "ssh-auth-sock", "post-build-hook", "system", "build-dir",
					     "sandbox-paths", "extra-sandbox-paths" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(name, names[i]))
			return 1;
	return 0;
}

/* From here on the texts belong to whom they are told. */
static void set_option(struct client *c, struct buf *name, struct buf *value)
{
	char *n = buf_detach(name, NULL), *v = buf_detach(value, NULL);

	if (n && *n && !is_ours(n) && c->o->setting) {
		if (c->o->trusted || is_harmless(c, n, v ? v : ""))
			c->o->setting(c->o->user, n, v ? v : "");
		else
			say_ignored(c, n, v ? v : "");
	}
	free(n);
	free(v);
}

static int get_overrides(struct client *c, struct err *e)
{
	struct buf name = BUF_INIT, value = BUF_INIT;
	uint64_t n;
	int rc = wire_get_bounded(&c->w, LIMIT_WIRE_LIST, &n, e);

	for (; !rc && n; n--) {
		rc = wire_get_text(&c->w, PATH_MAX, &name, e);
		rc = rc ? rc : wire_get_text(&c->w, LIMIT_WIRE_TEXT, &value, e);
		if (!rc)
			set_option(c, &name, &value);
	}
	buf_release(&name);
	buf_release(&value);
	return rc;
}

int op_set_options(struct client *c, enum operation op, struct err *e)
{
	uint64_t v[N_NUMBERS];
	char text[24];
	int rc = 0;

	(void)op;
	for (size_t i = 0; !rc && i < N_NUMBERS; i++)
		rc = wire_get_number(&c->w, &v[i], e);
	for (size_t i = 0; !rc && i < N_NUMBERS; i++) {
		if (!numbers[i] || !c->o->setting)
			continue;
		int is_switch =
			strcmp(numbers[i], "max-jobs") && strcmp(numbers[i], "max-silent-time") && strcmp(numbers[i], "cores");
		snprintf(text, sizeof text, "%" PRIu64, v[i]);
		c->o->setting(c->o->user, numbers[i], is_switch ? v[i] ? "true" : "false" : text);
	}
	if (!rc)
		c->use_substitutes = v[N_NUMBERS - 1] != 0;
	rc = rc ? rc : get_overrides(c, e);
	if (rc)
		return rc;
	client_begin(c);
	return client_done(c, e);
}
