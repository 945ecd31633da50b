/* SPDX-License-Identifier: MIT
 *
 * A line is "name = value", "include FILE", "!include FILE" (which may be missing), or nothing; "#" begins a comment.  Words of a
 * value are joined by one blank.  Paths of includes are relative to the file they stand in.
 *
 * Values and places stay for the life of the process: settings keep them.
 */
#include "config.h"
#include "cli/conf.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/fdio.h"
#include "base/suggest.h"
#include "base/words.h"
#include "cli/report.h"
#include "cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INCLUDES_MAX = 16 };

#define BLANKS " \t\r"

struct conf {
	const char *name; /* the file's, or NIX_CONFIG */
	unsigned line;
	int depth; /* of includes */
};

static void warn(const struct conf *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void warn(const struct conf *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	buf_addf(&b, "%s:%u: ", c->name, c->line);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	report_warning(0, 0, buf_str(&b));
	buf_release(&b);
}

/* --- one setting --- */

static void warn_unknown(const struct conf *c, const char *name)
{
	struct suggest s;

	suggest_init(&s, name, strlen(name));
	for (size_t i = 0; settings_any_name(i); i++)
		suggest_offer(&s, settings_any_name(i), strlen(settings_any_name(i)));
	if (s.best)
		warn(c, "unknown setting '%s'; did you mean '%.*s'?", name, (int)s.best_len, s.best);
	else
		warn(c, "unknown setting '%s'", name);
}

/* The variable comes before what files say. */
static int is_overridden(const char *name)
{
	return (!strcmp(name, "nix-path") || !strcmp(name, "extra-nix-path")) && getenv("NIX_PATH");
}

static void set(const struct conf *c, const char *name, char *value)
{
	struct buf from = BUF_INIT;

	if (is_overridden(name)) {
		free(value);
		return;
	}
	buf_addf(&from, "%s:%u", c->name, c->line);
	char *where = buf_detach(&from, NULL);
	switch (settings_set_from(name, value, where)) {
	case SETTING_OK:
		return;
	case SETTING_UNKNOWN:
		warn_unknown(c, name);
		break;
	case SETTING_BAD:
		warn(c, "setting '%s' is %s, not '%s'; the line is ignored", name, settings_wanted(name), value);
		break;
	case SETTING_TOLD:
	case SETTING_IGNORED:
		break;
	}
	free(where);
	free(value);
}

/* --- a file --- */

static void read_file(const char *path, int depth, const struct conf *from);

static void include(const struct conf *c, char *path, int may_be_missing)
{
	const char *slash = strrchr(c->name, '/');
	struct buf b = BUF_INIT;

	if (*path != '/' && slash)
		buf_add(&b, c->name, (size_t)(slash + 1 - c->name));
	buf_adds(&b, path);
	if (c->depth == INCLUDES_MAX)
		warn(c, "includes are nested more than %d deep; '%s' is left out", INCLUDES_MAX, path);
	else
		read_file(b.p, c->depth + 1, may_be_missing ? NULL : c);
	buf_release(&b);
}

/* The next word of a line, ended; NULL when there is none. */
static char *word(char **p)
{
	char *w = *p + strspn(*p, BLANKS), *end = w + strcspn(w, BLANKS);

	*p = *end ? end + 1 : end;
	*end = 0;
	return *w ? w : NULL;
}

static void take_line(struct conf *c, char *text)
{
	char *name, *sign, *w;
	struct buf value = BUF_INIT;

	text[strcspn(text, "#")] = 0;
	if (!(name = word(&text)))
		return;
	sign = word(&text);
	if (sign && (!strcmp(name, "include") || !strcmp(name, "!include")) && !word(&text)) {
		include(c, sign, *name == '!');
		return;
	}
	if (!sign || strcmp(sign, "=")) {
		warn(c, "expected 'name = value' or 'include FILE'; the line is ignored");
		return;
	}
	while ((w = word(&text)))
		buf_addf(&value, "%s%s", value.len ? " " : "", w);
	buf_str(&value);
	set(c, name, buf_detach(&value, NULL));
}

static void take_text(const char *name, char *text, int depth)
{
	struct conf c = { name, 0, depth };

	for (char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		char *next = line + n + (line[n] != 0);
		line[n] = 0;
		c.line++;
		take_line(&c, line);
		line = next;
	}
}

/* from: who includes it and says when it cannot be read; NULL: it need not be there. */
static void read_file(const char *path, int depth, const struct conf *from)
{
	struct buf text = BUF_INIT;
	struct conf self = { path, 1, depth };
	/* Of a machine's files some may be for root alone: they hold tokens. */
	int fd = open(path, O_RDONLY | O_CLOEXEC), missing = fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES);
	int bad = fd < 0 || fd_read_all(fd, &text);

	if (bad && (from || !missing))
		warn(from ? from : &self, "cannot read '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	/* A NUL is a byte like another that is out of place, and does not hide what follows. */
	for (size_t i = 0; i < text.len; i++)
		if (!text.p[i])
			text.p[i] = '\177';
	if (!bad)
		take_text(path, (char *)buf_str(&text), depth);
	buf_release(&text);
}

/* --- all of them --- */

/* Files of settings that Nix reads as well, the last first; those of the machine and those of the user. */
static struct words files[2];
static int of_user;

static void read_one(const char *path)
{
	size_t n = strlen(path);

	if (n < 7 || strcmp(path + n - 7, "gx.conf"))
		words_add(&files[of_user], path);
	read_file(path, 0, NULL);
}

static void read_in(const char *dir, size_t n, const char *below, const char *file)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%.*s%s/%s", (int)n, dir, below, file);
	read_one(b.p);
	buf_release(&b);
}

const char *conf_folder(void)
{
	const char *dir = getenv("NIX_CONF_DIR");

	return dir && *dir ? dir : "/etc/nix";
}

static void read_system(void)
{
	const char *dir = getenv("NIX_CONF_DIR");

	if (dir && *dir) {
		read_in(dir, strlen(dir), "", "nix.conf");
		read_in(dir, strlen(dir), "", "gx.conf");
	} else {
		read_one("/etc/nix/nix.conf");
		read_one("/etc/gx/gx.conf");
	}
}

/* Calls each for the parts between colons, the last first. */
static void backwards(const char *list, void (*each)(const char *p, size_t n))
{
	const char *end = list + strlen(list);

	for (const char *p = end;; p--) {
		if (p != list && p[-1] != ':')
			continue;
		if (end > p)
			each(p, (size_t)(end - p));
		if (p == list)
			return;
		end = p - 1;
	}
}

static void read_named(const char *p, size_t n)
{
	char *path = xstrndup(p, n);

	read_one(path);
	free(path);
}

static void read_xdg(const char *p, size_t n)
{
	read_in(p, n, "/nix", "nix.conf");
	read_in(p, n, "/gx", "gx.conf");
}

static void read_user(void)
{
	const char *named = getenv("NIX_USER_CONF_FILES"), *home = getenv("HOME"), *own = getenv("XDG_CONFIG_HOME");
	const char *dirs = getenv("XDG_CONFIG_DIRS");

	if (named) {
		backwards(named, read_named);
		return;
	}
	backwards(dirs && *dirs ? dirs : "/etc/xdg", read_xdg);
	if (own && *own == '/') {
		read_xdg(own, strlen(own));
	} else if (home && *home == '/') {
		read_in(home, strlen(home), "/.config/nix", "nix.conf");
		read_in(home, strlen(home), "/.config/gx", "gx.conf");
	}
}

void conf_load(void)
{
	const char *text = getenv("NIX_CONFIG");

	read_system();
	of_user = 1;
	read_user();
	if (!text)
		return;
	char *copy = xstrndup(text, strlen(text));
	take_text("NIX_CONFIG", copy, 0);
	free(copy);
}

void conf_add_files(struct buf *b, const char *machine, const char *user)
{
	struct buf list = BUF_INIT;

	for (size_t k = 0; k < 2; k++) {
		buf_trim(&list, 0);
		for (size_t i = files[k].n; i--;)
			buf_addf(&list, "%s%s", list.len ? ":" : "", files[k].v[i]);
		buf_addf(b, "%s%s\n", k ? user : machine, buf_str(&list));
	}
	buf_release(&list);
}
