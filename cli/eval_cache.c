/* SPDX-License-Identifier: MIT
 *
 * Asked before an evaluator is started, so what is found costs no heap, no standard library and no git.
 *
 * Settings are given to the trail one by one, by name, so that 'gx why-reload' can say which of them changed.
 */
#include "config.h"
#include "cli/eval_cache.h"
#include "base/alloc.h"
#include "cli/build_options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "eval/eval.h"
#include "fetch/pack.h"
#include "fetch/trail.h"
#include "flake/registry.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of a file or an expression that is evaluated in less than this nothing is kept: it would push out what took longer. */
enum { WORTH_US = 20000, ALWAYS = 2 };

/* --- what else decides --- */

struct said {
	struct trail_now *v;
	size_t n, cap;
};

static void say(struct said *s, const char *name, const void *p, size_t n)
{
	char *copy = xmalloc(n + 1);

	memcpy(copy, n ? p : "", n);
	ARRAY_GROW(s->v, s->n + 1, s->cap);
	s->v[s->n++] = (struct trail_now){ name, { copy, n } };
}

static void say_text(struct said *s, const char *name, const char *text)
{
	say(s, name, text ? text : "", text ? strlen(text) + 1 : 0);
}

static void say_int(struct said *s, const char *name, int64_t i)
{
	say(s, name, &i, sizeof i);
}

/* kind: who asks; gxeval lies beside gx. */
static void say_program(struct said *s, const char *kind)
{
	char path[PATH_MAX + 8];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	struct pack_key self = { 0 };
	struct stat st;

	path[n > 0 ? n : 0] = 0;
	char *slash = strrchr(path, '/');
	if (slash && !strcmp(kind, "gxeval"))
		memcpy(slash + 1, "gxeval", sizeof "gxeval");
	if (!stat(path, &st))
		self = pack_key("", 0, &st);
	say(s, "this program", &self, sizeof self);
	say_int(s, "the user", geteuid());
}

/* Settings of nix.conf, but those of builds. */
static void say_settings(struct said *s)
{
	struct setting_info info;

	for (size_t i = 0; settings_info(i, &info); i++)
		if (build_setting_is_bool(info.name) < 0)
			say_text(s, info.name, info.value);
}

static void say_options(struct said *s, const char *kind)
{
	const struct eval_settings *e = &eval_settings;

	say_text(s, "the system", e->system);
	say_text(s, "the store's folder", e->store_dir);
	say_text(s, "--flake-registry", registry_settings.global);
	say_int(s, "--use-registries", registry_settings.use);
	say_int(s, "--allow-dirty-locks", flake_settings.allow_dirty_locks);
	say_int(s, "--restrict-eval", e->restricted);
	say_int(s, "--read-only", e->read_only);
	/* (Of what builds first, 'flake show' shows nothing unless told to: cli/verbs/gx_flake_show.c.) */
	say_int(s, "--allow-import-from-derivation", e->allow_ifd < 0 && !strcmp(kind, "flake show") ? 0 : e->allow_ifd);
	say_int(s, "--trace-verbose", e->trace_verbose);
	say_int(s, "--show-trace", e->show_trace + 2 * report_settings.full_trace);
	say_int(s, "--abort-on-warn", e->abort_on_warn);
	say_int(s, "--offline", e->offline);
	say_int(s, "the experimental features", e->toml_timestamps);
	say_int(s, "--max-call-depth", e->max_call_depth);
	say_int(s, "--lint-url-literals", e->parse.url_literals);
	say_int(s, "--lint-absolute-path-literals", e->parse.absolute_paths);
	say_int(s, "--lint-short-path-literals", e->parse.short_paths);
	say_int(s, "whether messages are in colour", report_settings.colour);
	say_int(s, "--quiet", report_settings.quiet);
	say_int(s, "--log-format", progress_settings.format == LOG_JSON || progress_settings.format == LOG_NIX
					   ? progress_settings.format : LOG_AUTO);
}

static void say_environment(struct said *s)
{
	static const char *const names[] = { "NIX_PATH", "GX_STACK_SIZE", "HOME", "XDG_CONFIG_HOME", "NIX_CONF_DIR", "CI" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		say_text(s, names[i], getenv(names[i]));
}

static struct said say_all(const char *kind)
{
	struct said s = { NULL, 0, 0 };

	say_program(&s, kind);
	say_settings(&s);
	say_options(&s, kind);
	say_environment(&s);
	return s;
}

static void said_release(struct said *s)
{
	for (size_t i = 0; i < s->n; i++)
		free((char *)s->v[i].value.p);
	free(s->v);
}

/* --- the question --- */

static void add_word(struct buf *b, const char *label, const char *word)
{
	buf_addf(b, "%s%s", label, word ? word : "");
	buf_addc(b, 0);
}

static void add_flake_options(struct buf *b, const struct flake_request *f)
{
	for (size_t i = 0; i < f->noverrides; i++) {
		add_word(b, "--override-input ", f->overrides[i][0]);
		add_word(b, "", f->overrides[i][1]);
	}
	for (size_t i = 0; i < f->nflakes; i++) {
		add_word(b, "--override-flake ", f->flakes[i][0]);
		add_word(b, "", f->flakes[i][1]);
	}
	for (size_t i = 0; i < f->ninputs_from; i++)
		add_word(b, "--inputs-from ", f->inputs_from[i]);
}

static int add_question(struct buf *b, const struct eval_question *q)
{
	const struct eval_request *r = q->r;
	const struct flake_request *f = &r->flake_options;
	char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof cwd))
		return -1;
	add_word(b, "", q->kind);
	add_word(b, "", cwd);
	for (size_t i = 0; i < q->n; i++)
		add_word(b, "", q->words[i]);
	add_word(b, "--store ", q->store);
	add_word(b, q->pure ? "--pure-eval" : "--impure", NULL);
	if (r->expr)
		add_word(b, "-E ", r->expr);
	if (r->file)
		add_word(b, "-f ", r->file);
	if (r->flake)
		add_word(b, "flake ", r->flake);
	for (size_t i = 0; i < r->n_attrs; i++)
		add_word(b, "--attr ", r->attrs[i]);
	for (size_t i = 0; i < r->n_args; i++) {
		add_word(b, r->args[i].is_string ? "--argstr " : "--arg ", r->args[i].name);
		add_word(b, "", r->args[i].text);
	}
	if (eval_settings.offered)
		add_word(b, "offered ", eval_settings.offered);
	for (size_t i = 0; i < r->n_search_path; i++)
		add_word(b, "-I ", r->search_path[i]);
	add_flake_options(b, f);
	buf_addf(b, "%d%d %d%d", f->no_update, f->no_write, (int)r->form, r->realise);
	add_word(b, " ", r->apply);
	return 0;
}

/* Those that ask for something to be done are done. */
static int is_a_question(const struct eval_request *r)
{
	const struct flake_request *f = &r->flake_options;

	if (f->nupdates || f->recreate || f->reference_file || f->output_file || f->commit || f->check || f->must_write)
		return 0;
	return eval_settings.eval_cache && !eval_settings.trace_calls && !eval_settings.profiler && !r->profile && !r->stats &&
	       !r->repl && !r->write_to && !r->parse_only && !r->dump_builtins && (!r->file || strcmp(r->file, "-"));
}

/* --- finding --- */

/* Microseconds that this process has computed. */
static int64_t cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int take_answer(struct eval_cache *k)
{
	struct slice rest = k->found.answer, status, told;

	if (answer_take(&rest, &status) || status.n != sizeof k->status || answer_take(&rest, &told) ||
	    answer_take(&rest, &k->answer))
		return -1;
	memcpy(&k->status, status.p, sizeof k->status);
	buf_trim(&k->told, 0);
	buf_add(&k->told, told.p, told.n);
	return 0;
}

static void begin_anew(struct eval_cache *k, const struct said *s)
{
	answer_release(&k->found);
	buf_trim(&k->told, 0);
	k->began = cpu_time();
	trail_begin();
	for (size_t i = 0; i < s->n; i++)
		trail_said(s->v[i].name, s->v[i].value);
	report_copy(&k->told);
}

int eval_cache_find(struct eval_cache *k, const struct eval_question *q)
{
	struct said s;
	int fresh = 0, holds = 0;

	*k = (struct eval_cache){ .on = is_a_question(q->r), .costly = q->r->expr || q->r->file };
	if (!k->on || add_question(&k->question, q)) {
		k->on = 0;
		return 0;
	}
	s = say_all(q->kind);
	if (answer_get((struct slice){ k->question.p, k->question.len }, &k->found)) {
		holds = trail_holds(k->found.trail, k->found.trail_len, s.v, s.n, 0, &k->reason, &fresh) == 1;
		holds = holds && !take_answer(k);
		if (holds && fresh)
			answer_put(&k->found);
	}
	if (!holds)
		begin_anew(k, &s);
	said_release(&s);
	return holds;
}

void eval_cache_tell(const struct eval_cache *k)
{
	if (k->told.len)
		progress_write(k->told.p, k->told.len);
}

void eval_cache_refuse(struct eval_cache *k, const char *why)
{
	struct said s = say_all(k->question.p);

	buf_trim(&k->reason, 0);
	buf_addf(&k->reason, "%s\n", why);
	begin_anew(k, &s);
	said_release(&s);
}

int eval_cache_holds(struct answer *a, struct buf *why)
{
	struct said s = say_all(a->question.p);
	int fresh, rc = trail_holds(a->trail, a->trail_len, s.v, s.n, 1, why, &fresh);

	said_release(&s);
	return rc;
}

/* --- keeping --- */

void eval_cache_failed(enum error_kind kind)
{
	if (kind == EK_IO || kind == EK_STACK || kind == EK_INTERRUPT || kind == EK_QUIT || kind == EK_BUILD ||
	    kind == EK_IFD || kind == EK_HASH)
		trail_spoil("what ended it may be otherwise next time");
}

void eval_cache_keep(struct eval_cache *k, int status, struct slice answer)
{
	struct buf trail = BUF_INIT, all = BUF_INIT;
	const char *why;

	if (!k->on)
		return;
	report_copy(NULL);
	if (k->costly && eval_settings.eval_cache != ALWAYS && cpu_time() - k->began < WORTH_US)
		trail_drop();
	if (!trail_end(&trail, &why)) {
		answer_add(&all, &status, sizeof status);
		answer_add(&all, buf_str(&k->told), k->told.len);
		answer_add(&all, answer.p, answer.n);
		const struct answer a = { .question = { k->question.p, k->question.len },
					  .answer = { all.p, all.len },
					  .reason = { buf_str(&k->reason), k->reason.len },
					  .trail = trail.p,
					  .trail_len = trail.len };
		answer_put(&a);
	} else if (why) {
		answer_drop((struct slice){ k->question.p, k->question.len });
	}
	buf_release(&trail);
	buf_release(&all);
}

void eval_cache_end(struct eval_cache *k)
{
	if (k->on) {
		report_copy(NULL);
		trail_drop();
	}
	answer_release(&k->found);
	buf_release(&k->question);
	buf_release(&k->told);
	buf_release(&k->reason);
}

/* --- bytes --- */

void answer_add(struct buf *b, const void *p, size_t n)
{
	uint64_t len = n;

	buf_add(b, &len, sizeof len);
	buf_add(b, p, n);
	buf_addc(b, 0);
}

int answer_take(struct slice *rest, struct slice *out)
{
	uint64_t len;

	if (rest->n < sizeof len)
		return -1;
	memcpy(&len, rest->p, sizeof len);
	if (len >= rest->n - sizeof len)
		return -1;
	*out = (struct slice){ rest->p + sizeof len, (size_t)len };
	*rest = (struct slice){ out->p + len + 1, rest->n - sizeof len - (size_t)len - 1 };
	return 0;
}
