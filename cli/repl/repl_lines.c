/* SPDX-License-Identifier: MIT
 *
 * Reading lines; the only file with libedit.
 *
 * libedit's own signal handling is not used: its way is to send the signal again to the whole process group, which ends
 * what we want to survive.  Instead characters are read here, and a signal that interrupts the read is dealt with between
 * two characters, where the state of the line is known.
 *
 * The history is a file of its own format, appended to after each input in one write: neither a second session nor a
 * crash loses entries, and no line is too long or split (nix#15162, nix#8183).  It is shortened when a session starts
 * and finds twice as much as is kept.
 */
#include "config.h"
#include "cli/repl/repl_lines.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/late.h"
#include "base/mem.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALLS(X)                                                                                                       \
	X(el_deletestr) X(el_end) X(el_get) X(el_gets) X(el_init) X(el_insertstr) X(el_line) X(el_resize) X(el_set)    \
	X(el_source) X(history) X(history_end) X(history_init)
#define POINTER(f) __typeof__(f) *f;

LATE_LIBRARY(edit, GX_EDIT_LIBRARY, "", CALLS, POINTER);

struct lines {
	int terminal;
	/* Without a terminal: bytes read and not used yet. */
	struct buf pending;
	size_t used;
	int at_end;
	/* With one. */
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

static void suspend(struct lines *l)
{
	suspended = 0;
	edit.el_set(l->el, EL_PREP_TERM, 0);
	kill(getpid(), SIGSTOP);
	edit.el_set(l->el, EL_PREP_TERM, 1);
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
	mbstate_t state = { 0 };
	struct lines *l;
	char c;

	edit.el_get(el, EL_CLIENTDATA, &l);
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
	struct lines *l;

	edit.el_get(el, EL_CLIENTDATA, &l);
	return (char *)l->prompt;
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

static unsigned columns(void)
{
	struct winsize w;

	return ioctl(1, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

/* What candidates have in common before their last part (a.b. of a.b.c) need not be repeated. */
static const char *last_part(const char *s)
{
	const char *last = s;

	for (const char *p = s; *p; p++)
		if ((*p == '.' || *p == '/') && p[1] && p[1] != '/' && p[1] != '.')
			last = p + 1;
	return *s == '"' ? s : last;
}

static void list_candidates(const struct completions *c)
{
	enum { SHOWN = 200 };
	size_t n = c->n < SHOWN ? c->n : SHOWN, width = 0;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		size_t w = strlen(last_part(c->v[i]));
		width = w > width ? w : width;
	}
	size_t per_row = columns() / (width + 2), rows;
	per_row = per_row ? per_row : 1;
	rows = (n + per_row - 1) / per_row;
	buf_addc(&b, '\n');
	for (size_t r = 0; r < rows; r++) {
		for (size_t i = r; i < n; i += rows) {
			const char *text = last_part(c->v[i]);
			visible_add(&b, text, strlen(text), 0);
			buf_addf(&b, "%*s", i + rows < n ? (int)(width + 2 - strlen(text)) : 0, "");
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
	struct lines *l;

	(void)ch;
	edit.el_get(el, EL_CLIENTDATA, &l);
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

/* One entry a line: a line end is written "\\n" and a backslash twice. */
static void history_encode(struct buf *b, const char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			buf_adds(b, "\\n");
		else if (*text == '\\')
			buf_adds(b, "\\\\");
		else
			buf_addc(b, *text);
}

static void history_decode(struct buf *b, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (line[i] == '\\' && i + 1 < n) {
			i++;
			buf_addc(b, line[i] == 'n' ? '\n' : line[i]);
		} else {
			buf_addc(b, line[i]);
		}
	}
}

static char *history_file(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct buf b = BUF_INIT;

	if (state && *state == '/')
		buf_addf(&b, "%s/gx", state);
	else if (home && *home == '/')
		buf_addf(&b, "%s/.local/state/gx", home);
	else
		return NULL;
	make_folders(buf_str(&b), 0700);
	buf_adds(&b, "/repl-history");
	return buf_detach(&b, NULL);
}

static void read_file(const char *file, struct buf *b)
{
	FILE *f = fopen(file, "re");
	char part[8192];

	for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
		buf_add(b, part, n);
	if (f)
		fclose(f);
}

/* Writes the last entries only, to a new file that takes the old one's place. */
static void shorten_history(const struct lines *l, const char *kept, size_t n)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s.%ld", l->file, (long)getpid());
	FILE *f = fopen(name.p, "wxe");
	if (f) {
		int bad = fwrite(kept, 1, n, f) != n;
		bad |= fclose(f);
		if (bad || rename(name.p, l->file))
			unlink(name.p);
	}
	buf_release(&name);
}

static void load_history(struct lines *l)
{
	struct buf all = BUF_INIT, entry = BUF_INIT;
	size_t total = 0, skip;
	HistEvent ev;

	read_file(l->file, &all);
	const char *p = buf_str(&all), *end = p + all.len;
	for (size_t i = 0; i < all.len; i++)
		total += p[i] == '\n';
	for (skip = total > REPL_HISTORY_MAX ? total - REPL_HISTORY_MAX : 0; skip; skip--)
		p = strchr(p, '\n') + 1;
	if (total > 2 * (size_t)REPL_HISTORY_MAX)
		shorten_history(l, p, (size_t)(end - p));
	for (const char *nl; (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		buf_trim(&entry, 0);
		history_decode(&entry, p, (size_t)(nl - p));
		edit.history(l->history, &ev, H_ENTER, buf_str(&entry));
	}
	buf_release(&entry);
	buf_release(&all);
}

void lines_remember(struct lines *l, const char *text)
{
	struct buf b = BUF_INIT;
	HistEvent ev;

	if (!l->terminal || !*text || (l->last && !strcmp(l->last, text)))
		return;
	free(l->last);
	l->last = xstrdup(text);
	edit.history(l->history, &ev, H_ENTER, text);
	history_encode(&b, text);
	buf_addc(&b, '\n');
	int fd = l->file ? open(l->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	/* Without a place to keep it the history lasts as long as the session. */
	if (fd >= 0) {
		ssize_t n = write(fd, b.p, b.len);
		(void)n;
		close(fd);
	}
	buf_release(&b);
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
	edit.el_set(l->el, EL_BIND, "^I", "gx-complete", NULL);
	edit.el_set(l->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	edit.el_set(l->el, EL_BIND, "^W", "ed-delete-prev-word", NULL);
	edit.el_set(l->el, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
	edit.el_set(l->el, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
	edit.el_set(l->el, EL_BIND, "\\e[3~", "ed-delete-next-char", NULL);
	edit.el_source(l->el, NULL);
	l->file = history_file();
	if (l->file)
		load_history(l);
}

struct lines *lines_new(void (*complete)(void *arg, const char *line, size_t cursor, struct completions *c), void *arg)
{
	/* A root: what `arg` points at may be collected memory. */
	struct lines *l = mem_root(sizeof *l);
	const char *term = getenv("TERM");

	l->complete = complete;
	l->arg = arg;
	l->terminal = can_edit();
	if (l->terminal && term && !strcmp(term, "dumb"))
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
	const char *line = edit.el_gets(l->el, &n);
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
