/* SPDX-License-Identifier: MIT
 *
 * Regular expressions: running the graph of states over a text.
 *
 * A depth-first walk with its own stack.  At RE_ALT both ways are walked and the longest match wins, the
 * earlier one when equal; at RE_REP and RE_RUN the second way is walked only when the first finds nothing.  That is
 * std::regex's rule, and it fixes which of several possible matches a program sees.
 *
 * Walking alone is exponential for some expressions, so once a walk has taken suspiciously many steps
 * it begins to remember, for each branching state and position, that nothing (FAILED) or nothing
 * better (this search's number) is to be found there; each pair is then walked once.  Runs have a cheaper
 * memory of the same kind that is always on: the interval of positions at which leaving them failed.
 *
 * A loop whose body matched nothing may be entered a second time at the same position but not a third, as in
 * std::regex, where the second round exists to set groups.  So what a state can reach depends on how often
 * the loops around it were entered here; those counts are part of the memory's key.  Beyond RE_LOOPS such
 * loops in one expression the second round is left out.
 *
 * The scratch memory is on the collected heap: callers may be left by a throw at any other point.
 */
#include "config.h"
#include "base/mem.h"
#include "base/regex.h"
#include "base/regex_int.h"

#include <string.h>

#define NONE UINT32_MAX
#define FAILED 0

/* What to do when the walk comes back from where it was sent. */
enum frame_kind {
	F_ALT,	/* walk the second way too */
	F_ALT2,	/* both ways are done; a: whether the first found something */
	F_REP,	/* walk the exit if the body found nothing */
	F_RUN,	/* leave the run one byte earlier; a: where it is now, b: where it must stop */
	F_NOTE, /* remember the outcome */
	F_SLOT, /* put back slot `state`: a */
	F_LOOP	/* put back loop `state`: position a, count b */
};

struct frame {
	uint32_t kind, state, pos, a, b;
};

struct note {
	uint64_t key; /* 0: free */
	uint32_t outcome;
};

#define FIRST_FRAMES 64
#define FIRST_WORDS 48

struct regex_iter {
	const struct regex *re;
	const char *s;
	uint32_t n;
	uint32_t begin;	  /* of the present attempt */
	uint32_t search;  /* its number, from 1 */
	int whole;	  /* the match must end at n */
	int not_empty;	  /* an empty match is no match */

	uint32_t *slot, *best, best_end;
	struct run {
		uint32_t lo, hi; /* leaving at any position in [lo, hi) fails */
	} *run;
	uint32_t loop_pos[RE_LOOPS], loop_count[RE_LOOPS];

	struct frame *stack;
	size_t sp, cap;
	uint64_t steps, patience;
	struct note *notes;
	size_t n_notes, cap_notes;

	/* Of the iteration. */
	uint32_t last_start, last_end;
	int started, done;

	/* Enough for most; not cleared. */
	uint32_t words[FIRST_WORDS];
	struct frame first[FIRST_FRAMES];
};

/* --- memory of outcomes --- */

/* How often the counted loops were entered at pos, two bits each. */
static uint32_t context(const struct regex_iter *m, uint32_t pos)
{
	uint32_t x = 0;

	for (uint32_t i = 0; i < m->re->loops; i++)
		if (m->loop_count[i] && m->loop_pos[i] == pos)
			x |= m->loop_count[i] << (2 * i);
	return x;
}

static uint64_t note_key(const struct regex_iter *m, uint32_t state, uint32_t pos)
{
	/* state < 2^18, context < 2^8 */
	return (((uint64_t)pos << 26) | ((uint64_t)state << 8) | context(m, pos)) + 1;
}

static struct note *note_slot(struct note *t, size_t cap, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (cap - 1);

	while (t[i].key && t[i].key != key)
		i = (i + 1) & (cap - 1);
	return &t[i];
}

static struct note *new_notes(size_t cap)
{
	struct note *t = mem_bytes(mem_size(cap, sizeof *t, 0));

	memset(t, 0, cap * sizeof *t);
	return t;
}

static void grow_notes(struct regex_iter *m)
{
	size_t cap = m->cap_notes * 2;
	struct note *t = new_notes(cap);

	for (size_t i = 0; i < m->cap_notes; i++)
		if (m->notes[i].key)
			*note_slot(t, cap, m->notes[i].key) = m->notes[i];
	m->notes = t;
	m->cap_notes = cap;
}

static void remember(struct regex_iter *m, uint32_t state, uint32_t pos, int found)
{
	if (!m->notes)
		return;
	if (m->n_notes * 2 >= m->cap_notes)
		grow_notes(m);
	uint64_t key = note_key(m, state, pos);
	struct note *t = note_slot(m->notes, m->cap_notes, key);
	m->n_notes += !t->key;
	t->key = key;
	t->outcome = found ? m->search : FAILED;
}

/* 1: known, then *found; a success of an earlier search says nothing about this one. */
static int recall(const struct regex_iter *m, uint32_t state, uint32_t pos, int *found)
{
	if (!m->notes)
		return 0;
	const struct note *t = note_slot(m->notes, m->cap_notes, note_key(m, state, pos));
	if (!t->key || (t->outcome != FAILED && t->outcome != m->search))
		return 0;
	*found = t->outcome != FAILED;
	return 1;
}

/* --- the walk --- */

static void push(struct regex_iter *m, enum frame_kind kind, uint32_t state, uint32_t pos, uint32_t a, uint32_t b)
{
	if (m->sp == m->cap) {
		struct frame *p = mem_bytes(mem_size(m->cap, 2 * sizeof *p, 0));
		memcpy(p, m->stack, m->cap * sizeof *p);
		m->stack = p;
		m->cap *= 2;
	}
	m->stack[m->sp++] = (struct frame){ kind, state, pos, a, b };
}

static void count_step(struct regex_iter *m)
{
	if (++m->steps > m->patience && !m->notes) {
		m->cap_notes = 1024;
		m->notes = new_notes(m->cap_notes);
	}
}

/* At RE_MATCH.  Keeps the groups of the longest match so far, the first of equals. */
static int accept(struct regex_iter *m, uint32_t pos)
{
	if ((m->whole && pos != m->n) || (m->not_empty && pos == m->begin))
		return 0;
	if (m->best_end == NONE || pos > m->best_end) {
		m->best_end = pos;
		memcpy(m->best, m->slot, 2 * sizeof *m->slot * m->re->groups);
	}
	return 1;
}

/* May the body of the loop be entered (again) at pos?  Counts it if so. */
static int enter_loop(struct regex_iter *m, const struct re_state *s, uint32_t pos)
{
	if (s->loop >= RE_LOOPS)
		return 1;
	uint32_t here = m->loop_pos[s->loop] == pos ? m->loop_count[s->loop] : 0;
	if (here == 2)
		return 0;
	push(m, F_LOOP, s->loop, 0, m->loop_pos[s->loop], m->loop_count[s->loop]);
	m->loop_pos[s->loop] = pos;
	m->loop_count[s->loop] = here + 1;
	return 1;
}

/* An uncounted loop that can match nothing is entered once at a position: is it open here already?
 * Rare enough to look through the stack. */
static int loop_is_open(const struct regex_iter *m, uint32_t state, uint32_t pos)
{
	for (size_t i = m->sp; i-- > 0;) {
		const struct frame *f = &m->stack[i];
		if (f->kind == F_SLOT || f->kind == F_LOOP)
			continue;
		if (f->pos < pos)
			break;
		if (f->kind == F_REP && f->state == state)
			return 1;
	}
	return 0;
}

/* Is leaving the run known to fail wherever it could be left when entered at pos? */
static int run_is_hopeless(const struct regex_iter *m, const struct re_state *s, uint32_t pos)
{
	const struct run *r = &m->run[s->alt];

	return pos >= r->lo && pos < r->hi;
}

/* The last position worth leaving the run at.  Where it is known to fail from some position on, the walk
 * over the bytes stops, so that entering at each byte in turn costs no square. */
static uint32_t run_end(const struct regex_iter *m, const struct re_state *s, uint32_t pos)
{
	const struct re_set *set = &m->re->sets[s->arg];
	const struct run *r = &m->run[s->alt];
	uint32_t stop = r->lo < r->hi && pos < r->lo ? r->lo : m->n;

	while (pos < stop && re_has(set, (unsigned char)m->s[pos]))
		pos++;
	return pos == stop && stop == r->lo && r->lo < r->hi ? pos - 1 : pos;
}

/* The last position in [lo, hi] at which leaving a run can succeed as far as is known, NONE if there is
 * none. */
static uint32_t run_exit(const struct regex_iter *m, const struct re_state *s, uint32_t lo, uint32_t hi)
{
	const struct run *r = &m->run[s->alt];

	if (s->exit == RE_EXIT_BEFORE_MATCH && m->whole)
		return hi == m->n && !(hi >= r->lo && hi < r->hi) ? hi : NONE;
	for (uint32_t p = hi + 1; p-- > lo;) {
		if (p >= r->lo && p < r->hi) {
			if (r->lo <= lo)
				return NONE;
			p = r->lo;
			continue;
		}
		if (s->exit != RE_EXIT_BEFORE_BYTE || (p < m->n && (unsigned char)m->s[p] == s->c))
			return p;
	}
	return NONE;
}

/* Leaving the run failed everywhere in [lo, hi]. */
static void run_failed(struct regex_iter *m, const struct re_state *s, uint32_t lo, uint32_t hi)
{
	struct run *r = &m->run[s->alt];

	lo += context(m, lo) != 0;
	if (lo > hi)
		return;
	if (r->lo < r->hi && lo <= r->hi && hi + 1 >= r->lo) {
		r->lo = lo < r->lo ? lo : r->lo;
		r->hi = hi + 1 > r->hi ? hi + 1 : r->hi;
	} else {
		r->lo = lo;
		r->hi = hi + 1;
	}
}

/* Goes on from a state until the path ends; returns whether it found a match there, with frames left on
 * the stack for what else there is to try. */
static int descend(struct regex_iter *m, uint32_t state, uint32_t pos)
{
	const struct re_state *st = m->re->st;
	int found;

	for (;;) {
		const struct re_state *s = &st[state];

		switch ((enum re_op)s->op) {
		case RE_BYTE:
			if (pos == m->n || (unsigned char)m->s[pos] != s->c)
				return 0;
			pos++;
			break;
		case RE_SET:
			if (pos == m->n || !re_has(&m->re->sets[s->arg], (unsigned char)m->s[pos]))
				return 0;
			pos++;
			break;
		case RE_BOL:
			if (pos != 0)
				return 0;
			break;
		case RE_EOL:
			if (pos != m->n)
				return 0;
			break;
		case RE_SAVE:
			push(m, F_SLOT, s->arg, 0, m->slot[s->arg], 0);
			m->slot[s->arg] = pos;
			break;
		case RE_ALT:
			count_step(m);
			if (recall(m, state, pos, &found))
				return found;
			push(m, F_ALT, state, pos, 0, 0);
			state = s->alt;
			continue;
		case RE_REP: {
			count_step(m);
			if (recall(m, state, pos, &found))
				return found;
			if (s->loop == RE_LOOP_UNCOUNTED && loop_is_open(m, state, pos))
				break;
			push(m, F_REP, state, pos, 0, 0);
			if (!enter_loop(m, s, pos)) {
				m->sp--;
				break;
			}
			state = s->alt;
			continue;
		}
		case RE_RUN: {
			count_step(m);
			if (recall(m, state, pos, &found))
				return found;
			if (run_is_hopeless(m, s, pos))
				return 0;
			uint32_t end = run_end(m, s, pos);
			uint32_t exit = run_exit(m, s, pos, end);
			if (exit == NONE) {
				run_failed(m, s, pos, end);
				return 0;
			}
			push(m, F_RUN, state, pos, exit, end);
			pos = exit;
			break;
		}
		case RE_NOP:
			break;
		case RE_MATCH:
			return accept(m, pos);
		}
		state = s->next;
	}
}

/* One frame has the outcome of what it waited for.  Returns 1 when there is something more to walk. */
static int resume(struct regex_iter *m, struct frame f, int *found, uint32_t *state, uint32_t *pos)
{
	const struct re_state *s = &m->re->st[f.state];

	switch ((enum frame_kind)f.kind) {
	case F_SLOT:
		m->slot[f.state] = f.a;
		return 0;
	case F_LOOP:
		m->loop_pos[f.state] = f.a;
		m->loop_count[f.state] = f.b;
		return 0;
	case F_ALT:
		push(m, F_ALT2, f.state, f.pos, (uint32_t)*found, 0);
		*state = s->next;
		*pos = f.pos;
		return 1;
	case F_ALT2:
		*found |= (int)f.a;
		remember(m, f.state, f.pos, *found);
		return 0;
	case F_REP:
		if (*found) {
			remember(m, f.state, f.pos, 1);
			return 0;
		}
		if (m->notes)
			push(m, F_NOTE, f.state, f.pos, 0, 0);
		*state = s->next;
		*pos = f.pos;
		return 1;
	case F_RUN:
		if (*found) {
			remember(m, f.state, f.pos, 1);
			return 0;
		}
		count_step(m);
		*pos = f.a == f.pos ? NONE : run_exit(m, s, f.pos, f.a - 1);
		if (*pos == NONE) {
			run_failed(m, s, f.pos, f.b);
			remember(m, f.state, f.pos, 0);
			return 0;
		}
		push(m, F_RUN, f.state, f.pos, *pos, f.b);
		*state = s->next;
		return 1;
	case F_NOTE:
		remember(m, f.state, f.pos, *found);
		return 0;
	}
	return 0;
}

/* Is there a match that begins at m->begin?  Then its groups are in best and its end in best_end. */
static int attempt(struct regex_iter *m)
{
	uint32_t state = m->re->start, pos = m->begin;
	int first_is_best = m->whole || !m->re->has_alt;

	m->search++;
	m->best_end = NONE;
	m->sp = 0;
	memset(m->slot, 0xff, 2 * sizeof *m->slot * m->re->groups);
	memset(m->loop_count, 0, sizeof m->loop_count);
	for (;;) {
		int found = descend(m, state, pos);
		for (;;) {
			if (found && (first_is_best || m->best_end == m->n))
				return 1;
			if (!m->sp)
				return found;
			struct frame f = m->stack[--m->sp];
			if (resume(m, f, &found, &state, &pos))
				break;
		}
	}
}

static void start(struct regex_iter *m, const struct regex *re, const char *s, size_t n)
{
	m->re = re;
	m->s = s;
	m->n = (uint32_t)n;
	m->stack = m->first;
	m->cap = FIRST_FRAMES;
	m->patience = 256 + 16 * (uint64_t)n;
	size_t groups = re->groups, words = 4 * groups + 2 * re->runs;
	m->slot = words <= FIRST_WORDS ? m->words : mem_bytes(words * sizeof(uint32_t));
	m->best = m->slot + 2 * groups;
	m->run = (struct run *)(m->best + 2 * groups);
	memset(m->run, 0, re->runs * sizeof *m->run);
}

static void fill_groups(const struct regex_iter *m, struct regex_span *groups)
{
	for (uint32_t g = 0; g < m->re->groups; g++) {
		groups[g] = (struct regex_span){ m->best[2 * g], m->best[2 * g + 1] };
		if (groups[g].end == NONE)
			groups[g].start = REGEX_UNSET;
	}
}

int regex_match(const struct regex *re, const char *text, size_t n, struct regex_span *groups)
{
	if (re->has_first && (!n || !re_has(&re->first, (unsigned char)*text)))
		return 0;
	struct regex_iter m;
	memset(&m, 0, offsetof(struct regex_iter, words));
	start(&m, re, text, n);
	m.whole = 1;
	if (!attempt(&m))
		return 0;
	fill_groups(&m, groups);
	return 1;
}

struct regex_iter *regex_iter_new(const struct regex *re, const char *text, size_t n)
{
	struct regex_iter *m = mem_new(sizeof *m);

	start(m, re, text, n);
	return m;
}

/* The first position from p on where a match could begin; NONE when there is none. */
static uint32_t candidate(const struct regex_iter *m, uint32_t p)
{
	const struct regex *re = m->re;

	if (!re->has_first)
		return p <= m->n ? p : NONE;
	if (p >= m->n)
		return NONE;
	if (re->first_byte >= 0) {
		const char *q = memchr(m->s + p, re->first_byte, m->n - p);
		return q ? (uint32_t)(q - m->s) : NONE;
	}
	while (p < m->n && !re_has(&re->first, (unsigned char)m->s[p]))
		p++;
	return p < m->n ? p : NONE;
}

static int search_from(struct regex_iter *m, uint32_t p)
{
	for (; (p = candidate(m, p)) != NONE; p++) {
		m->begin = p;
		if (attempt(m))
			return 1;
		m->patience += 16;
	}
	return 0;
}

/* After an empty match the next one may begin there too, but then not be empty. */
static int advance(struct regex_iter *m)
{
	if (!m->started)
		return search_from(m, 0);
	if (m->last_start != m->last_end)
		return search_from(m, m->last_end);
	if (m->last_end == m->n)
		return 0;
	m->begin = m->last_end;
	m->not_empty = 1;
	int found = attempt(m);
	m->not_empty = 0;
	return found || search_from(m, m->last_end + 1);
}

int regex_iter_next(struct regex_iter *m, struct regex_span *whole, struct regex_span *groups)
{
	if (m->done)
		return 0;
	if (!advance(m)) {
		m->done = 1;
		return 0;
	}
	m->started = 1;
	*whole = (struct regex_span){ m->begin, m->best_end };
	m->last_start = m->begin;
	m->last_end = m->best_end;
	fill_groups(m, groups);
	return 1;
}
