/* SPDX-License-Identifier: MIT
 *
 * apt's two formats, as far as they say where packages are.  One has a line for each source,
 *
 *     deb [arch=amd64 signed-by=…] http://mirror.example/debian bookworm main
 *
 * the other fields, with lists of words, which go on in lines that are indented; an empty line is between two sources:
 *
 *     Types: deb
 *     URIs: http://mirror.example/debian
 *     Suites: bookworm bookworm-updates
 *
 * Sources of other distributions and projects are told apart by their suites: Debian's have names that it gave.
 */
#include "config.h"
#include "build/apt_sources.h"
#include "base/dir.h"
#include "base/fdio.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Cuts a word off a line; 0 when there is none left. */
static int next_word(struct slice *line, struct slice *word)
{
	*word = slice_word(line, " \t\r");
	return word->n > 0;
}

/* --- one source --- */

static void add_once(struct words *w, struct slice address)
{
	for (size_t i = 0; i < w->n; i++)
		if (slice_eq(slice_of(w->v[i]), address))
			return;
	words_addf(w, "%.*s", (int)address.n, address.p);
}

/* The list that a suite's mirrors are in; NULL: it is none of Debian. */
static struct words *list_of(struct apt_sources *s, struct slice suite)
{
	struct slice name = { suite.p, 0 };

	while (name.n < suite.n && suite.p[name.n] != '-' && suite.p[name.n] != '/')
		name.n++;
	if (!slice_in_words(name, "bullseye bookworm trixie forky sid oldoldstable oldstable stable testing unstable"))
		return NULL;
	return slice_ends(suite, SLICE("-security")) || slice_ends(suite, SLICE("/updates")) ? &s->security : &s->debian;
}

static void add_source(struct apt_sources *s, struct slice address, struct slice suite)
{
	struct words *w = list_of(s, suite);
	struct buf file = BUF_INIT;

	while (address.n && address.p[address.n - 1] == '/')
		address.n--;
	if (slice_starts(address, SLICE("file:/")) && !slice_starts(address, SLICE("file://"))) {
		buf_addf(&file, "file://%.*s", (int)address.n - 5, address.p + 5);
		address = (struct slice){ file.p, file.len };
	}
	if (w && (slice_starts(address, SLICE("http://")) || slice_starts(address, SLICE("https://")) ||
		  slice_starts(address, SLICE("file:///"))))
		add_once(w, address);
	buf_release(&file);
}

/* --- lines --- */

/* Options stand in brackets, with blanks between. */
static int skip_options(struct slice *line, struct slice *word)
{
	if (!next_word(line, word))
		return 0;
	if (*word->p != '[')
		return 1;
	while (word->p[word->n - 1] != ']')
		if (!next_word(line, word))
			return 0;
	return next_word(line, word);
}

void apt_sources_lines(struct apt_sources *s, struct slice text)
{
	struct slice type, address, suite;

	while (text.n) {
		struct slice line = slice_cut(&text, '\n');

		if (next_word(&line, &type) && slice_eq(type, SLICE("deb")) && skip_options(&line, &address) &&
		    next_word(&line, &suite))
			add_source(s, address, suite);
	}
}

/* --- stanzas --- */

/* The field of a line; 0: it goes on with the one before. */
static int is_field(struct slice *line, const char *name)
{
	size_t n = strlen(name);

	if (line->n <= n || strncasecmp(line->p, name, n) || line->p[n] != ':')
		return 0;
	line->p += n + 1;
	line->n -= n + 1;
	return 1;
}

struct stanza {
	struct buf types, uris, suites, enabled;
};

static void add_field(struct stanza *st, struct slice line, struct buf **now)
{
	if (*line.p == '#')
		return;
	if (*line.p != ' ' && *line.p != '\t')
		*now = is_field(&line, "Types")	   ? &st->types :
		       is_field(&line, "URIs")	   ? &st->uris :
		       is_field(&line, "Suites")  ? &st->suites :
		       is_field(&line, "Enabled") ? &st->enabled :
						    NULL;
	if (*now) {
		buf_addc(*now, ' ');
		buf_add(*now, line.p, line.n);
	}
}

static int has_word(const struct buf *b, const char *wanted)
{
	struct slice rest = { b->p, b->len }, word;

	while (next_word(&rest, &word))
		if (slice_eq(word, slice_of(wanted)))
			return 1;
	return 0;
}

static void finish_stanza(struct apt_sources *s, struct stanza *st)
{
	struct slice uris = { st->uris.p, st->uris.len }, address, suite;

	if (has_word(&st->types, "deb") && !has_word(&st->enabled, "no") && !has_word(&st->enabled, "false"))
		while (next_word(&uris, &address))
			for (struct slice suites = { st->suites.p, st->suites.len }; next_word(&suites, &suite);)
				add_source(s, address, suite);
	buf_release(&st->types);
	buf_release(&st->uris);
	buf_release(&st->suites);
	buf_release(&st->enabled);
}

void apt_sources_stanzas(struct apt_sources *s, struct slice text)
{
	struct stanza st = { 0 };
	struct buf *now = NULL;

	while (text.n) {
		struct slice line = slice_cut(&text, '\n'), rest = line, word;

		if (next_word(&rest, &word))
			add_field(&st, line, &now);
		else
			finish_stanza(s, &st);
	}
	finish_stanza(s, &st);
}

/* --- the folder --- */

static void read_file(struct apt_sources *s, int folder, const char *name,
		      void (*parse)(struct apt_sources *s, struct slice text))
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	struct buf text = BUF_INIT;

	if (fd < 0)
		return;
	if (!fd_read_all(fd, &text))
		parse(s, (struct slice){ buf_str(&text), text.len });
	close(fd);
	buf_release(&text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void apt_sources_read(struct apt_sources *s, const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct words names = { 0 };
	struct err ignored = ERR_INIT;
	struct dir d;

	if (fd < 0)
		return;
	read_file(s, fd, "sources.list", apt_sources_lines);
	if (!dir_open(&d, fd, "sources.list.d", &ignored))
		while (dir_next(&d, &ignored) > 0)
			words_add(&names, d.name);
	if (names.n)
		qsort(names.v, names.n, sizeof *names.v, by_name);
	for (size_t i = 0; i < names.n; i++)
		if (slice_ends(slice_of(names.v[i]), SLICE(".list")))
			read_file(s, d.fd, names.v[i], apt_sources_lines);
		else if (slice_ends(slice_of(names.v[i]), SLICE(".sources")))
			read_file(s, d.fd, names.v[i], apt_sources_stanzas);
	dir_close(&d);
	words_release(&names);
	err_release(&ignored);
	close(fd);
}

void apt_sources_release(struct apt_sources *s)
{
	words_release(&s->debian);
	words_release(&s->security);
}
