/* SPDX-License-Identifier: MIT
 *
 * The connection of a client, and the messages that come over it.
 *
 * While a client sends frames the daemon may have something to say, or may have had enough: what it says is taken between frames,
 * so that neither waits for the other; an error ends the sending.
 */
#include "config.h"
#include "remote/remote_int.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "format/basen.h"
#include "remote/listen.h"
#include "remote/remote_settings.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 1 << 16, LINE_MAX_TEXT = 1 << 24, FIELDS_MAX = 64, SAID_MAX = 100, CONNECT_SECONDS = 15 };

extern char **environ;

/* --- connecting --- */

static void add_words(struct words *w, const char *text)
{
	for (const char *p = text; *(p += strspn(p, " ")); p += strcspn(p, " "))
		words_addf(w, "%.*s", (int)strcspn(p, " "), p);
}

/* What is started at the other end. */
static void add_command(struct words *w, const struct remote_address *a)
{
	add_words(w, a->program ? a->program : a->serves ? "nix-store" : "nix-daemon");
	words_add(w, a->serves ? "--serve" : "--stdio");
	if (a->serves)
		words_add(w, "--write");
	if (a->remote_store) {
		words_add(w, "--store");
		words_add(w, a->remote_store);
	}
}

/* One of our own, which is given no machines: it could be among them. */
static int add_own(struct words *w, const struct remote_address *a, struct err *e)
{
	const char *const words[] = { remote_settings.own_program, "daemon", "--stdio", "--store", a->remote_store,
				      "--option", "builders", "", "--option", "system-features", a->features ? a->features : "" };

	if (!words[0])
		return err_set(e, ERR_INVALID, "nothing here can serve the store '%s'", a->shown);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		words_add(w, words[i]);
	return 0;
}

/* ssh is to know the host by this key alone: a list of hosts with one line, in a file that is gone with this process. */
static int add_host_key(struct words *w, const struct remote_address *a, struct err *e)
{
	size_t n = strlen(a->host_key), len = 0;
	uint8_t *key = xmalloc(n + 1);
	struct buf b = BUF_INIT;
	int fd, rc = base64_decode(a->host_key, n, key, &len, e);

	buf_addf(&b, "%s ", a->host);
	buf_add(&b, key, len);
	buf_addc(&b, '\n');
	fd = rc ? -1 : memfd_create("known_hosts", MFD_CLOEXEC);
	if (!rc && (fd < 0 || fd_write_all(fd, b.p, b.len)))
		rc = err_errno(e, "a file in memory");
	if (!rc)
		words_addf(w, "-oUserKnownHostsFile=/proc/%ld/fd/%d", (long)getpid(), fd);
	free(key);
	buf_release(&b);
	return rc;
}

static int add_ssh(struct words *w, const struct remote_address *a, struct err *e)
{
	const char *more = getenv("NIX_SSHOPTS");
	int rc = 0;

	words_add(w, "ssh");
	words_add(w, "-x");
	words_add(w, "-a");
	if (a->compress)
		words_add(w, "-C");
	if (a->key) {
		words_add(w, "-i");
		words_add(w, a->key);
	}
	if (a->host_key)
		rc = add_host_key(w, a, e);
	if (a->port) {
		words_add(w, "-p");
		words_add(w, a->port);
	}
	if (more)
		add_words(w, more);
	words_addf(w, "-oConnectTimeout=%d", CONNECT_SECONDS);
	if (a->user)
		words_addf(w, "%s@%s", a->user, a->host);
	else
		words_add(w, a->host);
	words_add(w, "--");
	return rc;
}

static int start_program(struct remote *r, const struct remote_address *a, struct err *e)
{
	struct words argv = { NULL, 0, 0 };
	int rc = 0;

	if (a->kind == REMOTE_FOLDER)
		rc = add_own(&argv, a, e);
	else if (strcmp(a->host, "localhost"))
		rc = add_ssh(&argv, a, e);
	if (a->kind == REMOTE_SSH)
		add_command(&argv, a);
	rc = rc ? rc : program_start_saying(&r->program, &argv, r->hooks.said_to, e);
	r->serves = a->serves;
	/* The words stay the program's name. */
	r->program.name = a->kind == REMOTE_SSH && strcmp(a->host, "localhost") ? "ssh" :
			  a->serves ? "nix-store" : "nix-daemon";
	words_release(&argv);
	if (!rc)
		wire_init(&r->w, r->program.out, r->program.in, r->name);
	return rc;
}

static int connect_to(struct remote *r, const struct remote_address *a, struct err *e)
{
	if (a->kind != REMOTE_SOCKET)
		return start_program(r, a, e);
	r->fd = daemon_connect(a->socket, e);
	if (r->fd < 0)
		return e->code;
	wire_init(&r->w, r->fd, r->fd, r->name);
	return 0;
}

/* --- the greeting --- */

static int exchange_features(struct remote *r, struct err *e)
{
	struct buf theirs = BUF_INIT;
	int rc;

	wire_put_number(&r->w, 0);
	rc = wire_flush(&r->w, e);
	rc = rc ? rc : wire_get_words(&r->w, &theirs, e);
	buf_release(&theirs);
	return rc;
}

static int get_introduction(struct remote *r, struct err *e)
{
	struct buf version = BUF_INIT;
	uint64_t trust = 0;
	int rc = r->minor >= 33 ? wire_get_text(&r->w, 4096, &version, e) : 0;

	if (!rc && r->minor >= 35)
		rc = wire_get_bounded(&r->w, 2, &trust, e);
	r->version = xstrdup(buf_str(&version));
	r->trust = trust == 1 ? 1 : trust == 2 ? 0 : -1;
	buf_release(&version);
	return rc;
}

/* It may be what a login script prints. */
static int no_daemon(const struct remote *r, uint64_t magic, struct err *e)
{
	struct buf b = BUF_INIT;
	size_t n = r->w.end - r->w.at < SAID_MAX ? r->w.end - r->w.at : SAID_MAX;
	const char *who = r->serves ? "'nix-store --serve'" : "daemon of Nix";

	magic = htole64(magic);
	buf_add(&b, &magic, sizeof magic);
	buf_add(&b, r->w.ahead + r->w.at, n);
	for (n = 0; n < b.len && b.p[n] >= ' ' && b.p[n] < 127;)
		n++;
	if (n > 2)
		err_set(e, ERR_INVALID, "what answers is no %s: it says '%.*s'", who, (int)n, b.p);
	else
		err_set(e, ERR_INVALID, "what answers is no %s", who);
	buf_release(&b);
	return ERR_INVALID;
}

static int greet(struct remote *r, struct err *e)
{
	uint64_t magic = 0, version = 0;
	int rc;

	if (r->serves) {
		rc = serve_greet(r, &magic, e);
		return rc == 1 ? no_daemon(r, magic, e) : rc;
	}
	wire_put_number(&r->w, WORKER_MAGIC_1);
	wire_put_number(&r->w, PROTOCOL_VERSION(PROTOCOL_NEWEST));
	/* Who does not listen may still have said why. */
	wire_flush(&r->w, NULL);
	rc = wire_get_number(&r->w, &magic, e);
	if (!rc && magic != WORKER_MAGIC_2)
		return no_daemon(r, magic, e);
	rc = rc ? rc : wire_get_number(&r->w, &version, e);
	if (!rc && (version >> 8 != PROTOCOL_MAJOR || version < PROTOCOL_VERSION(PROTOCOL_OLDEST)))
		return err_set(e, ERR_INVALID, "it speaks version %llu.%llu of the protocol; from %d.%d on it is understood",
			       (unsigned long long)(version >> 8), (unsigned long long)(version & 255), PROTOCOL_MAJOR,
			       PROTOCOL_OLDEST);
	r->minor = version < PROTOCOL_VERSION(PROTOCOL_NEWEST) ? (int)(version & 255) : PROTOCOL_NEWEST;
	rc = rc || r->minor < 38 ? rc : exchange_features(r, e);
	wire_put_number(&r->w, 0);
	wire_put_number(&r->w, 0);
	rc = rc ? rc : wire_flush(&r->w, e);
	rc = rc ? rc : get_introduction(r, e);
	return rc ? rc : remote_wait(r, e);
}

/* Why a program that was to lead there did not. */
static void explain(struct remote *r, struct err *e)
{
	struct err said = ERR_INIT;

	if (r->program.pid < 0)
		return;
	program_finish(&r->program, NULL, &said);
	r->program.pid = -1;
	if (said.code) {
		err_release(e);
		err_set(e, ERR_IO, "%s", said.msg);
	}
	err_release(&said);
}

static struct remote *new_remote(const char *name, struct slice store_dir, const struct remote_hooks *h)
{
	struct remote *r = xcalloc(1, sizeof *r);

	*r = (struct remote){ .dir = store_dir, .fd = -1, .trust = -1, .name = xstrdup(name), .program.pid = -1 };
	r->w = (struct wire){ .in = -1, .out = -1 };
	if (h)
		r->hooks = *h;
	return r;
}

/* It is connected (rc), and says who it is. */
static int begin(struct remote **out, struct remote *r, int rc, struct err *e)
{
	if (!rc && (rc = greet(r, e)))
		explain(r, e);
	if (rc) {
		err_prefix(e, "cannot open the store '%s'", r->name);
		r->dead = 1;
		remote_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

int remote_open(struct remote **out, const struct remote_address *a, struct slice store_dir, const struct remote_hooks *h,
		struct err *e)
{
	struct remote *r = new_remote(a->shown, store_dir, h);

	return begin(out, r, connect_to(r, a, e), e);
}

int remote_connect(struct remote **out, const struct remote_address *a, struct err *e)
{
	const struct remote_hooks hooks = { .said_to = STDERR_FILENO };
	struct remote *r = new_remote(a->shown, SLICE(""), &hooks);
	int rc = connect_to(r, a, e);

	if (rc) {
		err_prefix(e, "cannot open the store '%s'", r->name);
		remote_free(r);
	}
	*out = rc ? NULL : r;
	return rc;
}

int remote_open_fds(struct remote **out, int in, int to, const char *name, struct slice store_dir, const struct remote_hooks *h,
		    struct err *e)
{
	struct remote *r = new_remote(name, store_dir, h);

	wire_init(&r->w, in, to, r->name);
	return begin(out, r, 0, e);
}

int remote_open_serving(struct remote **out, int in, int to, const char *name, struct slice store_dir, const struct remote_hooks *h,
			struct err *e)
{
	struct remote *r = new_remote(name, store_dir, h);

	wire_init(&r->w, in, to, r->name);
	r->serves = 1; /* as the greeting decides */
	return begin(out, r, 0, e);
}

void remote_free(struct remote *r)
{
	if (!r)
		return;
	if (r->program.pid >= 0 && r->dead)
		program_kill(&r->program);
	else if (r->program.pid >= 0)
		program_finish(&r->program, NULL, NULL);
	if (r->fd >= 0)
		close(r->fd);
	wire_release(&r->w);
	free(r->name);
	free(r->version);
	free(r->builds);
	free(r);
}

void remote_set_hooks(struct remote *r, const struct remote_hooks *h)
{
	r->hooks = *h;
}

const char *remote_name(const struct remote *r)
{
	return r->name;
}

const char *remote_version(const struct remote *r)
{
	return r->version;
}

int remote_trust(const struct remote *r)
{
	return r->trust;
}

int remote_minor(const struct remote *r)
{
	return r->minor;
}

int remote_lists(const struct remote *r)
{
	return !r->serves;
}

/* --- messages --- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell_note(struct remote *r, struct buf *text)
{
	while (text->len && text->p[text->len - 1] == '\n')
		buf_trim(text, text->len - 1);
	if (r->hooks.note && text->len)
		r->hooks.note(r->hooks.user, text->p);
}

static void tell_event(struct remote *r, const struct build_event *ev)
{
	if (r->hooks.event)
		r->hooks.event(r->hooks.user, ev);
}

/* Fields of an activity: what is left of them is the first text, and how many there were. */
static int get_fields(struct remote *r, struct buf *first, struct err *e)
{
	uint64_t n, type, number;
	int rc = wire_get_bounded(&r->w, FIELDS_MAX, &n, e);

	for (uint64_t i = 0; !rc && i < n; i++) {
		rc = wire_get_bounded(&r->w, 1, &type, e);
		if (rc)
			break;
		if (!type)
			rc = wire_get_number(&r->w, &number, e);
		else if (!i)
			rc = wire_get_text(&r->w, LINE_MAX_TEXT, first, e);
		else
			rc = wire_skip_text(&r->w, e);
	}
	return rc;
}

static void build_begins(struct remote *r, uint64_t id, const struct buf *path)
{
	struct slice name;
	struct store_path drv;

	if (store_path_parse(r->dir, (struct slice){ buf_str(path), path->len }, &drv, NULL))
		return;
	ARRAY_GROW(r->builds, r->nbuilds + 1, r->capbuilds);
	r->builds[r->nbuilds].id = id;
	r->builds[r->nbuilds].drv = drv;
	r->builds[r->nbuilds++].started = now();
	name = store_path_name(&drv);
	name.n -= store_path_is_drv(&drv) ? 4 : 0;
	tell_event(r, &(struct build_event){ .kind = BUILD_START, .drv = &drv, .text = name });
}

static int on_start(struct remote *r, struct err *e)
{
	struct buf first = BUF_INIT;
	uint64_t id, level, type = 0, parent;
	int rc = wire_get_number(&r->w, &id, e);

	rc = rc ? rc : wire_get_number(&r->w, &level, e);
	rc = rc ? rc : wire_get_number(&r->w, &type, e);
	rc = rc ? rc : wire_skip_text(&r->w, e);
	rc = rc ? rc : get_fields(r, &first, e);
	rc = rc ? rc : wire_get_number(&r->w, &parent, e);
	if (!rc && type == ACT_BUILD)
		build_begins(r, id, &first);
	buf_release(&first);
	return rc;
}

static int on_stop(struct remote *r, struct err *e)
{
	uint64_t id;
	int rc = wire_get_number(&r->w, &id, e);

	for (size_t i = 0; !rc && i < r->nbuilds; i++)
		if (r->builds[i].id == id) {
			tell_event(r, &(struct build_event){ .kind = BUILD_DONE, .drv = &r->builds[i].drv,
							     .seconds = now() - r->builds[i].started });
			r->builds[i] = r->builds[--r->nbuilds];
			break;
		}
	return rc;
}

static int on_result(struct remote *r, struct err *e)
{
	struct buf first = BUF_INIT;
	uint64_t id, type = 0;
	int rc = wire_get_number(&r->w, &id, e);

	rc = rc ? rc : wire_get_number(&r->w, &type, e);
	rc = rc ? rc : get_fields(r, &first, e);
	for (size_t i = 0; !rc && i < r->nbuilds; i++)
		if (r->builds[i].id == id && (type == RESULT_LOG_LINE || type == RESULT_PHASE))
			tell_event(r, &(struct build_event){ .kind = type == RESULT_PHASE ? BUILD_PHASE : BUILD_LINE,
							     .drv = &r->builds[i].drv, .text = { buf_str(&first), first.len } });
	buf_release(&first);
	return rc;
}

/* What the operation failed with, in *answer. */
static int get_error(struct remote *r, struct buf *answer, struct err *e)
{
	uint64_t n;
	int rc;

	if (r->minor < 26) {
		rc = wire_get_text(&r->w, LINE_MAX_TEXT, answer, e);
		return rc ? rc : wire_get_number(&r->w, &n, e);
	}
	rc = wire_skip_text(&r->w, e); /* "Error" */
	rc = rc ? rc : wire_get_number(&r->w, &n, e);
	rc = rc ? rc : wire_skip_text(&r->w, e); /* its kind */
	rc = rc ? rc : wire_get_text(&r->w, LINE_MAX_TEXT, answer, e);
	rc = rc ? rc : wire_get_bounded(&r->w, 0, &n, e);
	rc = rc ? rc : wire_get_bounded(&r->w, LIMIT_WIRE_LIST, &n, e);
	for (uint64_t at; !rc && n; n--) {
		rc = wire_get_bounded(&r->w, 0, &at, e);
		rc = rc ? rc : wire_skip_text(&r->w, e);
	}
	return rc;
}

/* Colours of a terminal, and the word before it all, are of no use in another's message. */
static void add_plain(struct buf *out, const struct buf *text)
{
	static const char word[] = "error: ";
	size_t at = out->len;

	for (size_t i = 0; i < text->len; i++) {
		if (text->p[i] == '\033') {
			while (i + 1 < text->len && text->p[i] != 'm')
				i++;
			continue;
		}
		buf_addc(out, text->p[i]);
	}
	if (out->len - at >= sizeof word - 1 && !strncmp(out->p + at, word, sizeof word - 1)) {
		memmove(out->p + at, out->p + at + sizeof word - 1, out->len - at - (sizeof word - 1));
		buf_trim(out, out->len - (sizeof word - 1));
	}
	while (out->len > at && out->p[out->len - 1] == '\n')
		buf_trim(out, out->len - 1);
}

int remote_refused(const struct remote *r, int code, const struct buf *text, struct err *e)
{
	struct buf plain = BUF_INIT;

	add_plain(&plain, text);
	err_set(e, code, "%s: %s", r->name, buf_str(&plain));
	buf_release(&plain);
	return code;
}

static int on_error(struct remote *r, struct err *e)
{
	struct buf text = BUF_INIT;
	int rc = get_error(r, &text, e);

	r->nbuilds = 0;
	r->dead |= rc != 0;
	rc = rc ? rc : remote_refused(r, ERR_INVALID, &text, e);
	buf_release(&text);
	return rc;
}

/* One message: 1 when it was the last, 0 when more follow, negative: the operation's error, or the connection's. */
static int take_message(struct remote *r, struct err *e)
{
	struct buf text = BUF_INIT;
	uint64_t what;
	int rc = wire_get_number(&r->w, &what, e);

	if (rc) {
		r->dead = 1;
		return rc;
	}
	switch (what) {
	case MESSAGE_LAST: return 1;
	case MESSAGE_ERROR: return on_error(r, e);
	case MESSAGE_NEXT:
		rc = wire_get_text(&r->w, LINE_MAX_TEXT, &text, e);
		if (!rc)
			tell_note(r, &text);
		buf_release(&text);
		break;
	case MESSAGE_START_ACTIVITY: rc = on_start(r, e); break;
	case MESSAGE_STOP_ACTIVITY: rc = on_stop(r, e); break;
	case MESSAGE_RESULT: rc = on_result(r, e); break;
	default:
		rc = err_set(e, ERR_INVALID, "%s sent a message that makes no sense here: %#llx", r->name,
			     (unsigned long long)what);
	}
	r->dead |= rc != 0;
	return rc;
}

int remote_begin(struct remote *r, enum operation op, struct err *e)
{
	if (r->serves)
		return err_set(e, ERR_INVALID, "'%s' does not do this: ssh-ng:// does", r->name);
	if (r->dead)
		return err_set(e, ERR_IO, "the connection to '%s' is lost", r->name);
	wire_put_number(&r->w, op);
	return 0;
}

int remote_wait(struct remote *r, struct err *e)
{
	int rc = wire_flush(&r->w, e);

	r->dead |= rc != 0;
	while (!rc)
		rc = take_message(r, e);
	return rc < 0 ? rc : 0;
}

int remote_poll(struct remote *r, struct err *e)
{
	int rc = 0;

	while (!rc && wire_has_more(&r->w))
		rc = take_message(r, e);
	if (rc > 0) {
		r->dead = 1;
		rc = err_set(e, ERR_INVALID, "%s ended an operation before it had all of it", r->name);
	}
	return rc;
}

int remote_end(struct remote *r, int rc)
{
	r->dead |= rc != 0;
	return rc;
}

int remote_get_done(struct remote *r, struct err *e)
{
	uint64_t one;

	return remote_end(r, wire_get_number(&r->w, &one, e));
}

/* --- frames --- */

static int send_frame(struct frames_out *f, struct err *e)
{
	int rc = f->rc;

	if (!rc) {
		wire_put_number(&f->r->w, f->frame.len);
		wire_put(&f->r->w, f->frame.p, f->frame.len);
		rc = wire_flush(&f->r->w, e);
		f->r->dead |= rc != 0;
		rc = rc ? rc : remote_poll(f->r, e);
	}
	buf_trim(&f->frame, 0);
	return f->rc = rc;
}

static int put_framed(void *user, const void *p, size_t n, struct err *e)
{
	struct frames_out *f = user;

	buf_add(&f->frame, p, n);
	return f->frame.len >= FRAME ? send_frame(f, e) : f->rc;
}

void frames_begin(struct frames_out *f, struct remote *r)
{
	*f = (struct frames_out){ .r = r, .sink = { put_framed, f } };
}

/* When what was to be sent failed here, the daemon still waits for the rest of it: nothing can follow. */
int frames_end(struct frames_out *f, int rc, struct err *e)
{
	if (rc && !f->rc) {
		f->r->dead = 1;
	} else if (!f->rc) {
		if (f->frame.len)
			send_frame(f, e);
		if (!f->rc) {
			wire_put_number(&f->r->w, 0);
			f->rc = remote_wait(f->r, e);
		}
	} else if (!f->r->dead) {
		/* It had enough, said why, and reads up to the end. */
		wire_put_number(&f->r->w, 0);
		f->r->dead |= wire_flush(&f->r->w, NULL) != 0;
	}
	buf_release(&f->frame);
	return rc ? rc : f->rc;
}
