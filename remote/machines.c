/* SPDX-License-Identifier: MIT
 *
 * Which machines there are, and who sits where.
 *
 * A seat is a locked file, STATE/current-load/MACHINE-N, so that all processes on this machine together give no machine more than
 * it takes.  Among machines with a free seat the one is taken whose load, for its speed, is the least.
 */
#include "config.h"
#include "remote/machines_int.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/flock.h"
#include "format/drv_options.h"
#include "remote/remote_settings.h"
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FIELDS = 8, JOBS_MOST = 4096, NAME_MOST = 200, DEEPEST = 16 };

#define BLANKS " \t\r"

/* --- one line --- */

/* What stands between commas, with blanks between. */
static char *words_of(const char *text)
{
	char *s = xstrdup(text);

	for (char *p = s; *p; p++)
		if (*p == ',')
			*p = ' ';
	return s;
}

/* The program that serves it reads none of Nix's variables: what they say goes into the address. */
static int take_own(struct machine *m, const char *text, struct err *e)
{
	const struct place_request r = { .store = text };
	struct place p;
	char *address = NULL;
	int rc = place_obeys_environment() ? place_choose(&p, &r, e) : 0;

	if (!rc && place_obeys_environment()) {
		address = p.mode == PLACE_VIEW ? NULL : place_address(&p);
		place_release(&p);
	}
	rc = rc ? rc : remote_address_of_folder(address ? address : text, &m->address, e);
	if (!rc && address) {
		free(m->address.shown);
		m->address.shown = xstrdup(text);
	}
	free(address);
	return rc;
}

static int take_address(struct machine *m, const char *text, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	m->name = xstrdup(text);
	if (remote_address_is(text)) {
		rc = remote_address_parse(text, &m->address, e);
	} else if (place_is_word(text, "auto") || place_is_word(text, "local")) {
		rc = take_own(m, text, e);
	} else if (strchr(text, '/')) {
		rc = remote_address_of_folder(text, &m->address, e);
	} else {
		buf_addf(&b, "ssh://%s", text);
		rc = remote_address_parse(b.p, &m->address, e);
	}
	buf_release(&b);
	/* Its parameters are nobody's business who reads a line about it. */
	if (!rc)
		m->name[strlen(m->address.shown) < strlen(m->name) ? strcspn(m->name, "?") : strlen(m->name)] = 0;
	return rc;
}

static int take_jobs(struct machine *m, const char *text, struct err *e)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || *text < '0' || *text > '9' || n > JOBS_MOST)
		return err_set(e, ERR_INVALID, "the builds at once of machine '%s' are a number from 0 to %d, not '%s'", m->name,
			       JOBS_MOST, text);
	m->jobs = (unsigned)n;
	return 0;
}

static int take_speed(struct machine *m, const char *text, struct err *e)
{
	char *end;

	m->speed = strtod(text, &end);
	if (*end || end == text || !(m->speed > 0 && m->speed < 1e9))
		return err_set(e, ERR_INVALID, "the speed of machine '%s' is a number above 0, not '%s'", m->name, text);
	return 0;
}

static void take_words(char **field, const char *text)
{
	free(*field);
	*field = words_of(text);
}

static int take_field(struct machine *m, size_t i, const char *text, struct err *e)
{
	switch (i) {
	case 0: return take_address(m, text, e);
	case 1: take_words(&m->systems, text); break;
	case 2:
		free(m->address.key);
		m->address.key = xstrdup(text);
		break;
	case 3: return take_jobs(m, text, e);
	case 4: return take_speed(m, text, e);
	case 5: take_words(&m->features, text); break;
	case 6: take_words(&m->needed, text); break;
	case 7:
		free(m->address.host_key);
		m->address.host_key = xstrdup(text);
		break;
	default: return err_set(e, ERR_INVALID, "machine '%s' has more than %d words", m->name, FIELDS);
	}
	return 0;
}

static void machine_release(struct machine *m)
{
	remote_address_release(&m->address);
	free(m->name);
	free(m->systems);
	free(m->features);
	free(m->needed);
}

/* What is needed there is also to be had there. */
static void finish(struct machine *m)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s%s%s", m->features, *m->features && *m->needed ? " " : "", m->needed);
	free(m->features);
	m->features = buf_detach(&b, NULL);
	free(m->address.features);
	m->address.features = xstrdup(m->features);
}

static int parse_line(struct machines *all, const char *line, size_t n, struct err *e)
{
	struct machine m = { .jobs = 1, .speed = 1 };
	char *text = xstrndup(line, n), *save = NULL;
	size_t i = 0;
	int rc = 0;

	text[strcspn(text, "#")] = 0;
	m.systems = xstrdup(build_system());
	m.features = xstrdup("");
	m.needed = xstrdup("");
	for (char *w = strtok_r(text, BLANKS, &save); !rc && w; w = strtok_r(NULL, BLANKS, &save), i++)
		rc = i && !strcmp(w, "-") ? 0 : take_field(&m, i, w, e);
	if (!rc && i) {
		finish(&m);
		ARRAY_GROW(all->v, all->n + 1, all->cap);
		all->v[all->n++] = m;
	} else {
		machine_release(&m);
	}
	free(text);
	return rc;
}

/* --- all of them --- */

static int parse(struct machines *m, const char *text, int depth, struct err *e);

static int parse_file(struct machines *m, const char *path, int depth, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	struct buf b = BUF_INIT;

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_errno(e, "cannot open '%s', which lists machines", path);
	if (fd >= 0 && fd_read_all(fd, &b))
		rc = err_errno(e, "cannot read '%s', which lists machines", path);
	if (fd >= 0)
		close(fd);
	rc = rc ? rc : parse(m, buf_str(&b), depth + 1, e);
	buf_release(&b);
	return rc;
}

static int parse_entry(struct machines *m, const char *p, size_t n, int depth, struct err *e)
{
	struct slice entry = slice_trim((struct slice){ p, n });
	char *path;
	int rc;

	if (!slice_starts(entry, SLICE("@")))
		return parse_line(m, entry.p, entry.n, e);
	if (depth > DEEPEST)
		return err_set(e, ERR_INVALID, "files that list machines name one another");
	path = xstrndup(entry.p + 1, entry.n - 1);
	rc = parse_file(m, path, depth, e);
	free(path);
	return rc;
}

static int parse(struct machines *m, const char *text, int depth, struct err *e)
{
	int rc = 0;

	/* A ';' in a comment ends nothing. */
	for (const char *p = text; !rc && *p;) {
		size_t n = strcspn(p, ";\n#");

		if (p[n] == '#')
			n = strcspn(p, "\n");
		rc = parse_entry(m, p, n, depth, e);
		p += n + (p[n] != 0);
	}
	return rc;
}

/* --- seats --- */

static void add_seats(struct machines *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		m->hooks.seats += m->v[i].jobs;
	m->seats = xcalloc(m->hooks.seats + 1, sizeof *m->seats);
	for (size_t i = 0; i < m->n; i++)
		for (unsigned k = 0; k < m->v[i].jobs; k++)
			m->seats[n++] = (struct seat){ i, -1 };
}

static int has_all(struct slice words, const char *among)
{
	for (const char *p = words.p; *(p += strspn(p, " ")); p += strcspn(p, " "))
		if (!slice_in_words((struct slice){ p, strcspn(p, " ") }, among))
			return 0;
	return 1;
}

static int can_build(const struct machine *m, const struct drv *d, const struct drv_options *o)
{
	struct buf asked = BUF_INIT;
	int can = !m->left_out && m->jobs && slice_in_words(d->system, m->systems);

	for (size_t i = 0; i < o->features.n; i++)
		buf_addf(&asked, "%.*s ", (int)o->features.v[i].n, o->features.v[i].p);
	can = can && has_all(slice_of(buf_str(&asked)), m->features) && has_all(slice_of(m->needed), buf_str(&asked));
	buf_release(&asked);
	return can;
}

static int open_folder(struct machines *m, struct store *s, struct err *e)
{
	struct buf b = BUF_INIT;

	if (m->folder)
		return 0;
	buf_addf(&b, "%s/current-load", store_place(s)->state_dir);
	m->folder = buf_detach(&b, NULL);
	return make_folders(m->folder, 0755) < 0 ? err_errno(e, "cannot make the folder '%s'", m->folder) : 0;
}

int machine_open_lock(const struct machines *m, const struct machine *of, const char *what, struct err *e)
{
	struct buf b = BUF_INIT;
	int fd;

	buf_addf(&b, "%s/", m->folder);
	size_t at = b.len;
	buf_addf(&b, "%.*s%s", NAME_MOST, of->name, what);
	for (char *p = b.p + at; *p; p++)
		if (*p == '/')
			*p = '_';
	fd = open(b.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = err_errno(e, "cannot open the lock '%s'", b.p);
	buf_release(&b);
	return fd;
}

/* Its lock: *fd is -1 when others sit there. */
static int lock_seat(struct machines *m, const struct machine *of, unsigned number, int *fd, struct err *e)
{
	char what[16];
	int rc;

	snprintf(what, sizeof what, "-%u", number);
	*fd = machine_open_lock(m, of, what, e);
	if (*fd < 0)
		return *fd;
	rc = lock_fd(*fd, LOCK_EX | LOCK_NB, e);
	if (rc) {
		close(*fd);
		*fd = -1;
	}
	return rc < 0 ? rc : 0;
}

struct found {
	size_t seat;
	int lock; /* -1: none yet */
	unsigned load;
	const struct machine *of;
};

static int is_better(const struct machine *m, unsigned load, const struct found *than)
{
	double a = load / m->speed, b = than->lock < 0 ? 0 : than->load / than->of->speed;

	if (than->lock < 0 || a < b)
		return 1;
	return a <= b && (m->speed > than->of->speed || (m->speed >= than->of->speed && load < than->load));
}

/* Looks at the seats of one; the first free one is kept when it is better than what was found. */
static int look_at(struct machines *m, const struct machine *of, size_t first, struct found *best, struct err *e)
{
	struct found here = { .lock = -1, .of = of };
	int fd, rc = 0;

	for (unsigned k = 0; !rc && k < of->jobs; k++) {
		rc = lock_seat(m, of, k, &fd, e);
		here.load += fd < 0;
		if (fd >= 0 && here.lock < 0) {
			here.lock = fd;
			here.seat = first + k;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	if (!rc && here.lock >= 0 && is_better(of, here.load, best)) {
		struct found worse = *best;

		*best = here;
		here = worse;
	}
	if (here.lock >= 0)
		close(here.lock);
	return rc;
}

static int enter(void *user, struct store *s, const struct drv *d, const struct drv_options *o, int *seat, struct err *e)
{
	struct machines *m = user;
	struct found best = { .lock = -1 };
	size_t first = 0;
	int any = 0, rc = 0;

	for (size_t i = 0; !rc && i < m->n; first += m->v[i++].jobs)
		if (can_build(&m->v[i], d, o)) {
			any = 1;
			rc = open_folder(m, s, e);
			rc = rc ? rc : look_at(m, &m->v[i], first, &best, e);
		}
	if (rc && best.lock >= 0)
		close(best.lock);
	if (rc || best.lock < 0)
		return rc ? rc : any ? 1 : 2;
	*seat = (int)best.seat;
	m->seats[best.seat].lock = best.lock;
	return 0;
}

static struct machine *machine_at(void *user, int seat)
{
	struct machines *m = user;

	return &m->v[m->seats[seat].machine];
}

static void leave(void *user, int seat)
{
	struct machines *m = user;

	close(m->seats[seat].lock);
	m->seats[seat].lock = -1;
}

static void unreachable(void *user, int seat)
{
	machine_at(user, seat)->left_out = 1;
}

static void wants_drvs(void *user, int seat)
{
	machine_at(user, seat)->gets_drvs = 1;
}

static int gets_drvs(void *user, int seat)
{
	return machine_at(user, seat)->gets_drvs;
}

static const char *name(void *user, int seat)
{
	return machine_at(user, seat)->name;
}

/* --- from outside --- */

int machines_parse(struct machines **out, const char *text, struct err *e)
{
	struct machines *m = xcalloc(1, sizeof *m);
	int rc = parse(m, text, 0, e);

	if (rc) {
		machines_free(m);
		return rc;
	}
	m->hooks = (struct build_machines){ .enter = enter, .leave = leave, .run = machine_build, .unreachable = unreachable,
					    .wants_drvs = wants_drvs, .gets_drvs = gets_drvs, .name = name, .user = m };
	add_seats(m);
	*out = m;
	return 0;
}

void machines_free(struct machines *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		machine_release(&m->v[i]);
	for (size_t i = 0; i < m->hooks.seats; i++)
		if (m->seats[i].lock >= 0)
			close(m->seats[i].lock);
	free(m->v);
	free(m->seats);
	free(m->folder);
	free(m);
}

const struct build_machines *machines_for_builds(const struct machines *m)
{
	return m && m->hooks.seats ? &m->hooks : NULL;
}
