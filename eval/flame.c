/* SPDX-License-Identifier: MIT
 *
 * Another function evaluates calls while this is on. Those that stand in no file, because a builtin makes them, come by where
 * the stack is checked, as a limit on steps does: nothing else looks whether there is a profiler.  Of these nobody says when they
 * end: a frame is over when one begins that is not below it on the C stack.
 */
#include "config.h"
#include "eval/flame.h"
#include "base/buf.h"
#include "base/source.h"
#include "base/strmap.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/state.h"

#include <string.h>
#include <time.h>

struct flame {
	struct flame_frame {
		const char *prefix, *name; /* "primop ", of what is called; NULL: nothing is known of it */
		const char *of;		   /* the derivation that is made; NULL: none */
		const void *at;		   /* on the C stack */
		uint32_t pos;
	} *v;
	size_t n, room;
	uint64_t period, last; /* nanoseconds */
	struct strmap by_text; /* indices into lines, one more */
	struct line {
		const char *text;
		uint64_t count;
	} *lines; /* as they came */
	size_t n_lines, lines_room;
};

static struct flame *flame;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* --- samples --- */

static void frame_text(struct buf *b, const struct flame_frame *f)
{
	struct source_loc at;
	int known = !source_locate(f->pos, &at);

	if (known)
		buf_addf(b, "%s:%u:%u", source_shown_name(at.src), at.line, at.column);
	if (f->name)
		buf_addf(b, "%s%s%s", known ? ":" : "", f->prefix, f->name);
	if (f->of)
		buf_addf(b, ":%s", f->of);
}

static void sample(void)
{
	struct buf b = BUF_GC;

	for (size_t i = 0; i < flame->n; i++) {
		if (i)
			buf_addc(&b, ';');
		frame_text(&b, &flame->v[i]);
	}
	uint64_t *at = strmap_put(&flame->by_text, buf_str(&b), b.len, NULL);

	if (!*at) {
		MEM_GROW(flame->lines, flame->n_lines + 1, flame->lines_room);
		flame->lines[flame->n_lines++] = (struct line){ buf_str(&b), 0 };
		*at = flame->n_lines;
	}
	flame->lines[*at - 1].count++;
}

/* --- what is called --- */

static struct flame_frame frame_of(W fn, uint32_t pos)
{
	struct flame_frame f = { "", NULL, NULL, NULL, pos };

	while (w_is_box(fn, BOX_PAP))
		fn = force(((struct box_pap *)W_PTR(fn))->fn);
	if (W_TAG(fn) == TAG_CLOSURE) {
		const struct n_lambda *l = ((struct closure *)W_PTR(fn))->l;

		f.name = l->name ? sym_name(l->name)->b : NULL;
		f.pos = pos ? pos : l->h.pos;
	} else if (w_is_box(fn, BOX_BUILTIN)) {
		f.prefix = "primop ";
		f.name = ((struct box_builtin *)W_PTR(fn))->def->name;
	} else if (W_TAG(fn) == TAG_ATTRS && attrs_find(fn, SYM_FUNCTOR)) {
		f.name = "functor";
	}
	return f;
}

struct naming {
	W args;
	const char *name;
};

static void find_name(void *arg)
{
	struct naming *g = arg;
	W *slot = W_TAG(force(g->args)) == TAG_ATTRS ? attrs_find(force(g->args), SYM_NAME) : NULL;
	W name = slot ? force_at(slot) : W_NULL;

	g->name = w_is_str(name) ? w_get_str(name)->b : NULL;
}

int flame_wants_name(W fn)
{
	const struct flame_frame f = frame_of(fn, 0);

	return f.name && *f.prefix && (!strcmp(f.name, "derivationStrict") || !strcmp(f.name, "derivation"));
}

static void leave(void *frames)
{
	flame->n = (size_t)frames;
}

static void drop_over(const void *at)
{
	while (flame->n && (const char *)flame->v[flame->n - 1].at <= (const char *)at)
		flame->n--;
}

static void enter(const struct flame_frame f)
{
	uint64_t t = now();

	MEM_GROW(flame->v, flame->n + 1, flame->room);
	flame->v[flame->n++] = f;
	if (t - flame->last < flame->period)
		return;
	sample();
	flame->last = t;
}

/* Until protect_pop, or an error. */
static void enter_until(struct flame_frame f)
{
	drop_over(f.at);
	protect_push(leave, (void *)flame->n);
	enter(f);
}

void flame_enter(W fn, uint32_t pos, W args)
{
	struct flame_frame f = frame_of(fn, pos);

	f.at = __builtin_frame_address(0);

	/* What fails here fails again in the call, which tells of it. */
	if (args) {
		struct naming g = { args, NULL };

		unwind_run(find_name, &g, NULL, TRACE_NONE);
		f.of = g.name;
	}
	enter_until(f);
}

void flame_enter_place(W set)
{
	struct flame_frame f = { "", NULL, NULL, __builtin_frame_address(0), 0 };

	attrs_find_pos(set, SYM_FUNCTOR, &f.pos);
	enter_until(f);
}

void flame_enter_inside(const struct rec *r)
{
	struct flame_frame f = { "", NULL, NULL, r, 0 };

	if (r->kind == REC_BUILTIN) {
		f.prefix = "primop ";
		f.name = ((const struct builtin *)r->p)->name;
	} else {
		const struct n_lambda *l = r->p;

		f.name = l->name ? sym_name(l->name)->b : NULL;
		f.pos = l->h.pos;
	}
	drop_over(r);
	enter(f);
}

/* --- start and end --- */

void flame_start(unsigned frequency)
{
	flame = mem_root(sizeof *flame);
	flame->period = frequency ? 1000000000 / frequency : 0;
	flame->last = now();
	es.flame = 1;
	es.stack_limit = (char *)UINTPTR_MAX;
}

void flame_stop(FILE *out)
{
	es.flame = 0;
	es.stack_limit = es.stack_floor;
	for (size_t i = 0; flame && i < flame->n_lines; i++)
		fprintf(out, "%s %llu\n", flame->lines[i].text, (unsigned long long)flame->lines[i].count);
}
