/* SPDX-License-Identifier: MIT
 *
 * Reading lines; the only file with libedit.
 *
 * libedit's own signal handling is not used: its way is to send the signal again to the whole process group, which ends
 * what we want to survive.  Instead characters are read here, and a signal that interrupts the read is dealt with between
 * two characters, where the state of the line is known.
 *
 * libedit knows nothing of pastes (bracketed paste), so they are dealt with here: the terminal says where one begins and ends, and
 * what lies between goes into the line as it is, tabs and line ends too, until Return is typed.  Of a terminal that does not say
 * so, at least a tab with more behind it is none that a person typed.
 */
#include "config.h"
#include "cli/repl/repl_lines.h"
#include "base/alloc.h"
#include "base/late.h"
#include "base/mem.h"
#include "base/visible.h"
#include "cli/repl/repl_history.h"
#include "cli/width.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wctype.h>

#define CALLS(X)                                                                                                       \
	X(el_cursor) X(el_deletestr) X(el_end) X(el_get) X(el_gets) X(el_init) X(el_insertstr) X(el_line) X(el_push)   \
	X(el_resize) X(el_set) X(el_source) X(history) X(history_end) X(history_init)
#define POINTER(f) __typeof__(f) *f;

LATE_LIBRARY(edit, GX_EDIT_LIBRARY, "", CALLS, POINTER);

struct lines {
	int terminal;
	/* Without a terminal: bytes read and not used yet. */
	struct buf pending;
	size_t used;
	int at_end;
	/* With one. */
	int dumb;     /* that knows no more than letters */
	int brackets; /* that has told where a paste begins */
	EditLine *el;
	History *history;
	char *file; /* of the history, NULL for none */
	char *last; /* entry */
	const char *prompt;
	void (*complete)(void *arg, const char *line, size_t cursor, struct completions *c);
	void *arg;
};

static volatile sig_atomic_t stopped, resized, suspended;
static volatile sig_atomic_t has_reader;
static pthread_t reader;

/* --- signals --- */

void lines_interrupt(void)
{
	stopped = 1;
	/* The read to be woken is the reader's; the signal may have come to another thread. */
	if (has_reader && !pthread_equal(pthread_self(), reader))
		pthread_kill(reader, SIGINT);
}

static void on_signal(int sig)
{
	int saved = errno;

	if (sig == SIGWINCH)
		resized = 1;
	else
		suspended = 1;
	if (has_reader && !pthread_equal(pthread_self(), reader))
		pthread_kill(reader, sig);
	errno = saved;
}

/* Whether the terminal is to say where pastes begin and end: only while a line is typed, since others do not know of it. */
static void ask_for_brackets(const struct lines *l, int yes)
{
	if (l->dumb)
		return;
	fputs(yes ? "\033[?2004h" : "\033[?2004l", stdout);
	fflush(stdout);
}

static void suspend(struct lines *l)
{
	suspended = 0;
	ask_for_brackets(l, 0);
	edit.el_set(l->el, EL_PREP_TERM, 0);
	kill(getpid(), SIGSTOP);
	edit.el_set(l->el, EL_PREP_TERM, 1);
	ask_for_brackets(l, 1);
	edit.el_set(l->el, EL_REFRESH);
}

/* After a read that a signal ended.  Returns 1 to read again, 0 to give the line up. */
static int after_signal(struct lines *l)
{
	if (stopped)
		return 0;
	if (resized) {
		resized = 0;
		edit.el_resize(l->el);
	}
	if (suspended)
		suspend(l);
	return 1;
}

static struct lines *lines_of(EditLine *el)
{
	struct lines *l;

	edit.el_get(el, EL_CLIENTDATA, &l);
	return l;
}

/* --- characters --- */

static int read_byte(struct lines *l, char *c)
{
	for (;;) {
		if (stopped)
			return -1;
		ssize_t n = read(0, c, 1);
		if (n >= 0)
			return (int)n;
		if (errno != EINTR || !after_signal(l))
			return -1;
	}
}

/* A character for libedit: 1, 0 at the end of input, -1 when the line was given up. */
static int read_char(EditLine *el, wchar_t *out)
{
	struct lines *l = lines_of(el);
	mbstate_t state = { 0 };
	char c;

	for (;;) {
		int n = read_byte(l, &c);
		if (n <= 0)
			return n;
		size_t k = mbrtowc(out, &c, 1, &state);
		if (k == (size_t)-1)
			memset(&state, 0, sizeof state);
		else if (k != (size_t)-2)
			return 1;
	}
}

static char *prompt_of(EditLine *el)
{
	return (char *)lines_of(el)->prompt;
}

/* --- pastes --- */

#define PASTE_ENDS "\033[201~"

/* Reads up to the end of a paste.  Returns 0 when it was given up. */
static int read_paste(struct lines *l, struct buf *b)
{
	const size_t n = sizeof PASTE_ENDS - 1;
	char c;

	while (b->len < n || memcmp(b->p + b->len - n, PASTE_ENDS, n)) {
		if (read_byte(l, &c) <= 0)
			return 0;
		buf_addc(b, c);
	}
	buf_trim(b, b->len - n);
	return 1;
}

/* What of a paste can stand in a line: characters, tabs and line ends, which terminals write as returns.  The last of these
 * is left out, so that what ends the input is the key. */
static void clean_paste(struct buf *to, const struct buf *from)
{
	mbstate_t state = { 0 };
	wchar_t c;

	for (size_t i = 0, n; i < from->len; i += n) {
		n = mbrtowc(&c, from->p + i, from->len - i, &state);
		if (n == 0 || n > from->len) {
			memset(&state, 0, sizeof state);
			n = 1;
		} else if (c == '\r' || c == '\n') {
			buf_addc(to, '\n');
		} else if (c == '\t' || iswprint((wint_t)c)) {
			buf_add(to, from->p + i, n);
		}
	}
	while (to->len && to->p[to->len - 1] == '\n')
		buf_trim(to, to->len - 1);
}

static unsigned char on_paste(EditLine *el, int ch)
{
	struct buf raw = BUF_INIT, text = BUF_INIT;
	struct lines *l = lines_of(el);
	int failed;

	(void)ch;
	l->brackets = 1;
	failed = !read_paste(l, &raw);
	if (!failed) {
		clean_paste(&text, &raw);
		failed = text.len && edit.el_insertstr(el, buf_str(&text));
	}
	buf_release(&raw);
	buf_release(&text);
	return failed ? CC_ERROR : CC_REFRESH;
}

/* Whether a key comes from a paste that the terminal does not tell of: there is more behind it already. */
static int is_pasted(const struct lines *l)
{
	int n = 0;

	return !l->brackets && !ioctl(0, FIONREAD, &n) && n > 0;
}

/* --- moving in an input of several lines --- */

/* Where the line begins that the n bytes before p end in, and how many characters are between. */
static const char *line_begins(const char *start, const char *p, int *characters)
{
	*characters = 0;
	while (p > start && p[-1] != '\n')
		*characters += ((unsigned char)*--p & 0xc0) != 0x80;
	return p;
}

/* Up and down: to another line of the input where it has one there, else to another entry of the history. */
static unsigned char on_up(EditLine *el, int ch)
{
	const LineInfo *li = edit.el_line(el);
	int column, above;
	const char *begin = line_begins(li->buffer, li->cursor, &column);

	(void)ch;
	if (begin == li->buffer) {
		edit.el_push(el, "\020");
		return CC_NORM;
	}
	line_begins(li->buffer, begin - 1, &above);
	edit.el_cursor(el, -(column + 1 + (above > column ? above - column : 0)));
	return CC_REFRESH;
}

static unsigned char on_down(EditLine *el, int ch)
{
	const LineInfo *li = edit.el_line(el);
	int column, rest = 0, below = 0;
	const char *p = li->cursor;

	(void)ch;
	line_begins(li->buffer, li->cursor, &column);
	for (; p < li->lastchar && *p != '\n'; p++)
		rest += ((unsigned char)*p & 0xc0) != 0x80;
	if (p == li->lastchar) {
		edit.el_push(el, "\016");
		return CC_NORM;
	}
	for (p++; p < li->lastchar && *p != '\n' && below < column; p++)
		below += ((unsigned char)*p & 0xc0) != 0x80;
	edit.el_cursor(el, rest + 1 + below);
	return CC_REFRESH;
}

/* --- completion --- */

static size_t common_prefix(const struct completions *c)
{
	size_t n = strlen(c->v[0]);

	for (size_t i = 1; i < c->n; i++) {
		size_t k = 0;
		while (k < n && c->v[i][k] == c->v[0][k])
			k++;
		n = k;
	}
	/* Whole characters. */
	while (n && ((unsigned char)c->v[0][n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* What candidates have in common before their last part (a.b. of a.b.c) need not be repeated. */
static const char *last_part(const char *s)
{
	const char *last = s;

	for (const char *p = s; *p; p++)
		if ((*p == '.' || *p == '/' || *p == '#') && p[1] && p[1] != '/' && p[1] != '.')
			last = p + 1;
	return *s == '"' ? s : last;
}

static size_t shown_width(const char *text)
{
	return width_of((struct slice){ text, strlen(text) });
}

static void list_candidates(const struct completions *c)
{
	enum { SHOWN = 200 };
	size_t n = c->n < SHOWN ? c->n : SHOWN, width = 0;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		size_t w = shown_width(last_part(c->v[i]));
		width = w > width ? w : width;
	}
	size_t per_row = width_of_terminal(1) / (width + 2), rows;
	per_row = per_row ? per_row : 1;
	rows = (n + per_row - 1) / per_row;
	buf_addc(&b, '\n');
	for (size_t r = 0; r < rows; r++) {
		for (size_t i = r; i < n; i += rows) {
			const char *text = last_part(c->v[i]);
			visible_add(&b, text, strlen(text), 0);
			buf_addf(&b, "%*s", i + rows < n ? (int)(width + 2 - shown_width(text)) : 0, "");
		}
		buf_addc(&b, '\n');
	}
	if (n < c->n)
		buf_addf(&b, "… and %zu more\n", c->n - n);
	fputs(buf_str(&b), stdout);
	fflush(stdout);
	buf_release(&b);
}

static unsigned char on_tab(EditLine *el, int ch)
{
	struct completions c = { 0 };
	const LineInfo *li = edit.el_line(el);
	size_t cursor = (size_t)(li->cursor - li->buffer), len = (size_t)(li->lastchar - li->buffer);
	struct lines *l = lines_of(el);

	(void)ch;
	if (is_pasted(l))
		return edit.el_insertstr(el, "\t") ? CC_ERROR : CC_REFRESH;
	if (!l->complete)
		return CC_ERROR;
	char *line = mem_bytes(len + 1);
	memcpy(line, li->buffer, len);
	line[len] = 0;
	l->complete(l->arg, line, cursor, &c);
	/* A completion that Ctrl-C cut short leaves the line as it is. */
	stopped = 0;
	if (!c.n)
		return CC_ERROR;
	size_t have = cursor - c.start, common = common_prefix(&c);
	int exact = common >= have && !memcmp(c.v[0], line + c.start, have);
	if (common > have || (c.n == 1 && !exact)) {
		char *text = mem_bytes(common + 1);
		memcpy(text, c.v[0], common);
		text[common] = 0;
		/* libedit counts characters where we count bytes. */
		int gone = 0;
		for (size_t i = c.start; i < cursor; i++)
			gone += ((unsigned char)line[i] & 0xc0) != 0x80;
		edit.el_deletestr(el, gone);
		return edit.el_insertstr(el, text) ? CC_ERROR : CC_REFRESH;
	}
	if (c.n == 1)
		return CC_ERROR;
	list_candidates(&c);
	return CC_REDISPLAY;
}

/* --- the history --- */

static void enter(void *lines, const char *text)
{
	struct lines *l = lines;
	HistEvent ev;

	edit.history(l->history, &ev, H_ENTER, text);
}

void lines_remember(struct lines *l, const char *text)
{
	if (!l->terminal || !*text || (l->last && !strcmp(l->last, text)))
		return;
	free(l->last);
	l->last = xstrdup(text);
	enter(l, text);
	/* Without a place to keep it the history lasts as long as the session. */
	if (l->file)
		history_append(l->file, text);
}

/* --- lines --- */

int lines_load(struct err *e)
{
	return late_load(&edit_library, e);
}

/* Whether lines can be edited; without the library they are read as from a file. */
static int can_edit(void)
{
	struct err e = ERR_INIT;

	if (!isatty(0) || !isatty(1))
		return 0;
	if (!lines_load(&e))
		return 1;
	fprintf(stderr, "warning: no line editing: %s\n", e.msg);
	err_release(&e);
	return 0;
}

static void bind_keys(struct lines *l)
{
	static const char *const keys[][2] = {
		{ "^I", "gx-complete" },
		{ "\\e[200~", "gx-paste" },
		{ "\\e[A", "gx-up" },
		{ "\\eOA", "gx-up" },
		{ "\\e[B", "gx-down" },
		{ "\\eOB", "gx-down" },
		{ "^R", "em-inc-search-prev" },
		{ "^W", "ed-delete-prev-word" },
		{ "\\e[1;5D", "ed-prev-word" },
		{ "\\e[1;5C", "em-next-word" },
		{ "\\e[3~", "ed-delete-next-char" },
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		edit.el_set(l->el, EL_BIND, keys[i][0], keys[i][1], NULL);
}

static void start_editing(struct lines *l)
{
	HistEvent ev;

	/* For the widths of characters; numbers and messages stay as they are. */
	setlocale(LC_CTYPE, "");
	if (MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
	l->el = edit.el_init("gx", stdin, stdout, stderr);
	l->history = edit.history_init();
	edit.history(l->history, &ev, H_SETSIZE, REPL_HISTORY_MAX);
	edit.history(l->history, &ev, H_SETUNIQUE, 1);
	edit.el_set(l->el, EL_CLIENTDATA, l);
	edit.el_set(l->el, EL_PROMPT, prompt_of);
	edit.el_set(l->el, EL_SIGNAL, 0);
	edit.el_set(l->el, EL_EDITOR, "emacs");
	edit.el_set(l->el, EL_HIST, edit.history, l->history);
	edit.el_set(l->el, EL_GETCFN, read_char);
	edit.el_set(l->el, EL_ADDFN, "gx-complete", "complete what stands before the cursor", on_tab);
	edit.el_set(l->el, EL_ADDFN, "gx-paste", "take what is pasted as it is", on_paste);
	edit.el_set(l->el, EL_ADDFN, "gx-up", "the line above, or the entry before", on_up);
	edit.el_set(l->el, EL_ADDFN, "gx-down", "the line below, or the next entry", on_down);
	bind_keys(l);
	edit.el_source(l->el, NULL);
	l->file = history_file();
	if (l->file)
		history_load(l->file, enter, l);
}

struct lines *lines_new(void (*complete)(void *arg, const char *line, size_t cursor, struct completions *c), void *arg)
{
	/* A root: what `arg` points at may be collected memory. */
	struct lines *l = mem_root(sizeof *l);
	const char *term = getenv("TERM");

	l->complete = complete;
	l->arg = arg;
	l->terminal = can_edit();
	l->dumb = !term || !strcmp(term, "dumb");
	if (l->dumb)
		l->complete = NULL;
	reader = pthread_self();
	if (l->terminal)
		start_editing(l);
	return l;
}

void lines_free(struct lines *l)
{
	has_reader = 0;
	buf_release(&l->pending);
	if (!l->terminal)
		return;
	edit.el_end(l->el);
	edit.history_end(l->history);
	free(l->file);
	free(l->last);
}

int lines_is_terminal(const struct lines *l)
{
	return l->terminal;
}

static enum line_result read_plain(struct lines *l, struct buf *out)
{
	for (;;) {
		const char *p = buf_str(&l->pending) + l->used;
		const char *nl = memchr(p, '\n', l->pending.len - l->used);
		if (nl || l->at_end) {
			size_t n = nl ? (size_t)(nl - p) : l->pending.len - l->used;
			buf_add(out, p, n);
			l->used += n + (nl != NULL);
			return nl || n ? LINE_READ : LINE_END;
		}
		char part[4096];
		ssize_t n = read(0, part, sizeof part);
		if (n < 0 && errno == EINTR) {
			if (stopped)
				return LINE_STOPPED;
			continue;
		}
		if (n <= 0)
			l->at_end = 1;
		else
			buf_add(&l->pending, part, (size_t)n);
	}
}

static enum line_result read_edited(struct lines *l, struct buf *out)
{
	struct sigaction sa = { .sa_handler = on_signal }, stop, winch;
	int n = 0;

	sigaction(SIGTSTP, &sa, &stop);
	sigaction(SIGWINCH, &sa, &winch);
	/* Before the prompt, behind which libedit would do it: what is typed or pasted at once is not for the terminal to edit. */
	edit.el_set(l->el, EL_PREP_TERM, 1);
	ask_for_brackets(l, 1);
	const char *line = edit.el_gets(l->el, &n);
	ask_for_brackets(l, 0);
	sigaction(SIGTSTP, &stop, NULL);
	sigaction(SIGWINCH, &winch, NULL);
	if (!line || n <= 0) {
		fputc('\n', stdout);
		fflush(stdout);
		return stopped ? LINE_STOPPED : LINE_END;
	}
	buf_add(out, line, (size_t)n - (line[n - 1] == '\n'));
	return LINE_READ;
}

enum line_result lines_read(struct lines *l, const char *prompt, struct buf *out)
{
	l->prompt = prompt;
	stopped = 0;
	has_reader = 1;
	enum line_result r = l->terminal ? read_edited(l, out) : read_plain(l, out);
	has_reader = 0;
	return r;
}
