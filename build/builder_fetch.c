/* SPDX-License-Identifier: MIT
 *
 * What runs here is in a process of its own, inside the sandbox of a fixed-output build, which may use the network but
 * see no file of the user's, and run no program but the one that goes on with what fetchurl brought, where there is one.  Nothing
 * it says about the output is believed afterwards: the building side hashes what it finds, for go-h1 outputs through
 * fetch_content_hash, and registers only what has the wanted hash.  The check in here is for the better message, and to stop before
 * a bad archive is unpacked to the end.
 *
 * The settings are the one static variable: builders are functions without an argument of their own, in a copy of the process
 * that prepared them.
 */
#include "config.h"
#include "build/builder_fetch.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "build/apt_sources.h"
#include "build/builder_archive.h"
#include "build/builder_ask.h"
#include "build/builder_auth.h"
#include "build/builder_fetch_int.h"
#include "build/builder_nar.h"
#include "build/builder_repository.h"
#include "golang/gomodule.h"
#include "golang/goproxy.h"
#include "golang/h1.h"
#include "fetch/archive.h"
#include "fetch/cache.h"
#include "fetch/crates.h"
#include "fetch/fetch_settings.h"
#include "fetch/program.h"
#include "fetch/npm.h"
#include "fetch/pyindex.h"
#include "fetch/url.h"
#include "format/compress.h"
#include "format/goh1.h"
#include "format/nar.h"
#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	int ready;
	struct transfer_settings transfer;
	struct go_settings go;
	struct apt_sources apt;
	int apt_known;
	int turn; /* a file that is locked by who asks an archive that wants no crowd; 0: not opened yet */
	struct buf python, npm, crates; /* the addresses of the index and the registries */
} settings;

int fetch_builders_prepare(struct err *e)
{
	int rc = 0;

	if (settings.ready)
		return 0;
	rc = transfer_settings_load(&settings.transfer, e);
	if (!rc && (rc = go_settings_load(&settings.go, e)))
		transfer_settings_release(&settings.transfer);
	/* Builders are processes of their own, which are killed. */
	settings.transfer.cancel_fd = -1;
	settings.ready = !rc;
	return rc;
}

/* --- a file that bytes go to --- */

static int write_fd(void *user, const void *p, size_t n, struct err *e)
{
	return fd_write_all(*(int *)user, p, n) ? err_errno(e, "cannot write what was fetched") : 0;
}

int fetch_restart(void *user, struct err *e)
{
	int fd = *(int *)user;

	return ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ? err_errno(e, "cannot start anew") : 0;
}

/* A file without a name in the working directory. */
int fetch_scratch(const char *dir, struct err *e)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct buf name = BUF_INIT;

	if (fd >= 0)
		return fd;
	/* Some file systems have no O_TMPFILE. */
	buf_addf(&name, "%s/.fetch-XXXXXX", dir);
	fd = mkostemp(name.p, O_CLOEXEC);
	if (fd >= 0)
		unlink(name.p);
	else
		err_errno(e, "cannot make a file in '%s'", dir);
	buf_release(&name);
	return fd;
}

struct slice fetch_attr(const struct drv *d, const char *name, struct slice otherwise)
{
	const struct slice *s = drv_env(d, slice_of(name));

	return s && s->n ? *s : otherwise;
}

/* --- builtin:go-module --- */

struct go_job {
	struct module_version m;
	struct hash h1;
	int only_mod;
};

static int go_job_read(const struct drv *d, struct go_job *j, struct err *e)
{
	static const struct slice none = { "", 0 };
	struct slice kind = fetch_attr(d, "kind", SLICE("zip"));

	*j = (struct go_job){ .m = { fetch_attr(d, "module", none), fetch_attr(d, "version", none) } };
	if (!j->m.path.n || !j->m.version.n)
		return err_set(e, ERR_INVALID, "attribute '%s' missing", j->m.path.n ? "version" : "module");
	if (!slice_eq(kind, SLICE("zip")) && !slice_eq(kind, SLICE("mod")))
		return err_set(e, ERR_INVALID, "the kind of a Go module is \"zip\" or \"mod\", not '%.*s'", (int)kind.n, kind.p);
	j->only_mod = slice_eq(kind, SLICE("mod"));
	int rc = modpath_check_module(&j->m, e);

	return rc ? rc : go_h1_parse(fetch_attr(d, "outputHash", none), &j->h1, e);
}

/* Appends the text of the go.env the derivation names. */
static int read_go_env(const struct drv *d, struct buf *out, struct err *e)
{
	struct slice path = fetch_attr(d, "goEnv", SLICE(""));
	char piece[4096];
	ssize_t n;

	if (!path.n)
		return 0;
	int fd = open(path.p, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, "cannot read '%s'", path.p);
	while ((n = read(fd, piece, sizeof piece)) > 0 && out->len < 1 << 20)
		buf_add(out, piece, (size_t)n);
	close(fd);
	return n < 0 ? err_errno(e, "cannot read '%s'", path.p) : 0;
}

/* Nothing is told of what came from a repository: the go command said nothing either. */
static void tell_fetched(const struct transfer_result *r)
{
	if (r->final_url)
		dprintf(2, "fetched %s (%llu bytes)\n", r->final_url, (unsigned long long)r->size);
}

static int go_get(const struct go_job *j, const struct drv *d, int fd, struct err *e)
{
	struct transfer_request q = { .max_size = j->only_mod ? LIMIT_GO_FILE : LIMIT_GO_MODULE, .write = write_fd,
				      .restart = fetch_restart, .user = &fd };
	struct transfer_result r = { 0 };
	struct buf go_env = BUF_INIT;
	struct transfer_engine *g;
	int rc = read_go_env(d, &go_env, e);

	if (!rc && !(g = transfer_engine_new(&settings.transfer, e)))
		rc = ERR_NETWORK;
	if (!rc) {
		struct slice list = go_proxy_list(&settings.go, &j->m, (struct slice){ buf_str(&go_env), go_env.len });

		rc = go_proxy_get(g, &settings.go, list, &j->m, j->only_mod ? "mod" : "zip", &q, &r, e);
		transfer_engine_free(g);
	}
	if (!rc)
		tell_fetched(&r);
	transfer_result_release(&r);
	buf_release(&go_env);
	return rc;
}

/* The output of kind "mod": the file that was fetched, once its sum is right. */
static int place_mod(const struct go_job *j, int fd, const char *out, struct err *e)
{
	struct buf text = BUF_INIT;
	char piece[65536];
	struct hash got;
	ssize_t n;
	int rc = 0;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_add(&text, piece, (size_t)n);
	h1_of_gomod((struct slice){ buf_str(&text), text.len }, &got);
	if (n < 0) {
		rc = err_errno(e, "cannot read what was fetched");
	} else if (!hash_eq(&got, &j->h1)) {
		char a[GO_H1_LEN + 1], b[GO_H1_LEN + 1];

		go_h1_print(&got, a);
		go_h1_print(&j->h1, b);
		rc = err_set(e, ERR_HASH, "checksum mismatch: the go.mod of '%.*s@%.*s' has the sum %s, but %s is wanted",
			     (int)j->m.path.n, j->m.path.p, (int)j->m.version.n, j->m.version.p, a, b);
	} else {
		int to = open(out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);

		rc = to < 0 ? err_errno(e, "cannot make '%s'", out) : write_fd(&to, buf_str(&text), text.len, e);
		if (to >= 0)
			close(to);
	}
	buf_release(&text);
	return rc;
}

static int place_zip(const struct go_job *j, int fd, const char *out, struct err *e)
{
	if (mkdir(out, 0755) < 0)
		return err_errno(e, "cannot make '%s'", out);
	int dirfd = open(out, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dirfd < 0)
		return err_errno(e, "cannot open '%s'", out);
	int rc = go_module_unpack(fd, &j->m, &j->h1, dirfd, NULL, e);

	close(dirfd);
	return rc;
}

/* Where the sum that is wanted stands for people, and what it means that it is not the one. */
static int explain(const struct go_job *j, struct err *e)
{
	char sum[GO_H1_LEN + 1];
	char *text = xstrdup(e->msg);

	go_h1_print(&j->h1, sum);
	err_release(e);
	err_set(e, ERR_HASH,
		"%s\nthe line of go.sum is: %.*s %.*s%s %s\neither that line is not what Go wrote (restore it, or remove it and "
		"run 'go mod tidy'), or what the proxy has is not what was published: then do not use it",
		text, (int)j->m.path.n, j->m.path.p, (int)j->m.version.n, j->m.version.p, j->only_mod ? "/go.mod" : "", sum);
	free(text);
	return ERR_HASH;
}

static int build_go_module(const struct builtin_call *c, struct err *e)
{
	struct buf out = BUF_INIT;
	struct go_job j;
	int fd = -1, rc = fetch_builders_prepare(e);

	if (!rc)
		rc = builtin_output(c, SLICE("out"), &out, e);
	if (!rc)
		rc = go_job_read(c->drv, &j, e);
	if (!rc && (fd = fetch_scratch(c->top, e)) < 0)
		rc = ERR_IO;
	if (!rc)
		rc = go_get(&j, c->drv, fd, e);
	if (!rc)
		rc = j.only_mod ? place_mod(&j, fd, out.p, e) : place_zip(&j, fd, out.p, e);
	/* Sums of toolchains come from the library. */
	if (rc == ERR_HASH && !slice_eq(j.m.path, SLICE("golang.org/toolchain")))
		rc = explain(&j, e);
	if (fd >= 0)
		close(fd);
	buf_release(&out);
	return rc;
}

/* --- builtin:fetchurl --- */

int fetch_next_word(struct slice *list, struct slice *word)
{
	while (list->n && strchr(" \t\n", *list->p))
		list->p++, list->n--;
	*word = (struct slice){ list->p, 0 };
	while (list->n && !strchr(" \t\n", *list->p))
		list->p++, list->n--, word->n++;
	return word->n > 0;
}

/* Each of the addresses in a list with blanks between, unless it is there already. */
static void add_addresses(struct words *w, struct slice list)
{
	for (struct slice one; fetch_next_word(&list, &one);) {
		size_t i = 0;

		while (i < w->n && !slice_eq(slice_of(w->v[i]), one))
			i++;
		if (i == w->n)
			words_addf(w, "%.*s", (int)one.n, one.p);
	}
}

/* "mirror://NAME/path": the path below each of the addresses in the variable NAME, as in nixpkgs. */
static int add_mirrors(struct words *w, const struct drv *d, struct slice url, struct err *e)
{
	struct slice prefix = SLICE("mirror://"), name = { url.p + prefix.n, 0 }, list, one;

	while (name.p + name.n < url.p + url.n && name.p[name.n] != '/')
		name.n++;
	char *variable = xstrndup(name.p, name.n);
	list = fetch_attr(d, variable, SLICE(""));
	free(variable);
	if (!list.n)
		return err_set(e, ERR_INVALID, "no mirrors are known for '%.*s': the derivation has no variable '%.*s'", (int)url.n,
			       url.p, (int)name.n, name.p);
	struct slice path = { name.p + name.n, (size_t)(url.p + url.n - name.p) - name.n };
	while (fetch_next_word(&list, &one)) {
		while (one.n && one.p[one.n - 1] == '/')
			one.n--;
		words_addf(w, "%.*s%.*s", (int)one.n, one.p, (int)path.n, path.p);
	}
	return 0;
}

/* "apt://debian/path", or "apt://debian-security/path": below each mirror of it that apt has on this machine, if any. */
static void add_apt(struct words *w, struct slice url)
{
	static const struct slice security = SLICE("apt://debian-security/"), debian = SLICE("apt://debian/");
	int is_security = slice_starts(url, security);
	const struct words *mirrors = is_security ? &settings.apt.security : &settings.apt.debian;
	size_t n = is_security ? security.n : debian.n;

	for (size_t i = 0; i < mirrors->n && (is_security || slice_starts(url, debian)); i++)
		words_addf(w, "%s/%.*s", mirrors->v[i], (int)(url.n - n), url.p + n);
}

static int find_crate(struct slice crate, struct buf *url, struct err *e)
{
	return crates_address(buf_str(&settings.crates), crate, url, e);
}

/* Of "crates://NAME/VERSION" and "npm://NAME/-/FILE" what follows "//": in the registry that cargo or npm would ask. */
static int add_found(struct words *w, const char *name, int (*find)(struct slice name, struct buf *url, struct err *e),
		     struct err *e)
{
	struct buf address = BUF_INIT;
	int rc = find(slice_of(name), &address, e);

	if (!rc)
		words_add(w, buf_str(&address));
	buf_release(&address);
	return rc;
}

/* The hash of the very file that is fetched; NULL when it is that of something else, or not known. */
static const struct hash *hash_of_file(const struct drv *d)
{
	const struct drv_output *out = drv_output(d, SLICE("out"));

	return out && out->kind == DRV_FIXED && out->method == CA_FLAT && !d->nargs ? &out->hash : NULL;
}

/* The hashed-mirrors have files by their hash, and come first. */
void fetch_add_mirrors(struct words *w, const struct hash *h)
{
	struct slice list = slice_of(fetch_settings.hashed_mirrors ? fetch_settings.hashed_mirrors : ""), one;
	char hex[HASH_TEXT_MAX];

	if (!h)
		return;
	hash_print(h, HASH_BASE16, 0, hex);
	while (fetch_next_word(&list, &one))
		words_addf(w, "%.*s%s%s/%s", (int)one.n, one.p, one.p[one.n - 1] == '/' ? "" : "/", hash_algo_name(h->algo), hex);
}

struct addresses {
	struct words all;
	size_t before; /* so many come before those of archives that are asked by one at a time */
};

/* Where a fetchurl is to look, in this order: hashed mirrors, `url`, `urls`, `archiveUrls`. */
static int find_addresses(const struct drv *d, struct addresses *a, struct err *e)
{
	struct words given = { 0 }, *w = &a->all;
	int rc = 0;

	fetch_add_mirrors(w, hash_of_file(d));
	add_addresses(&given, fetch_attr(d, "url", SLICE("")));
	add_addresses(&given, fetch_attr(d, "urls", SLICE("")));
	for (size_t i = 0; i < given.n && !rc; i++)
		if (!strncmp(given.v[i], "mirror://", 9))
			rc = add_mirrors(w, d, slice_of(given.v[i]), e);
		else if (!strncmp(given.v[i], "apt://", 6))
			add_apt(w, slice_of(given.v[i]));
		else if (!strncmp(given.v[i], "crates://", 9))
			rc = add_found(w, given.v[i] + 9, find_crate, e);
		else if (!strncmp(given.v[i], "npm://", 6))
			rc = add_found(w, given.v[i] + 6, fetch_find_npm, e);
		else
			words_add(w, given.v[i]);
	a->before = w->n;
	add_addresses(w, fetch_attr(d, "archiveUrls", SLICE("")));
	words_release(&given);
	return rc;
}

/* Until the process ends. */
static void wait_for_turn(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* It is what the other side gave as standard input (fetch_builder_input); without it there is no order. */
	while (fcntl(0, F_SETLKW, &whole) < 0 && errno == EINTR)
		;
}

int fetch_file(const struct drv *d, const char *url, const struct hash *want, int fd, struct err *e)
{
	struct transfer_request q = { .url = url, .write = write_fd, .restart = fetch_restart, .user = &fd,
				      .algo = want ? want->algo : HASH_ANY };
	char *size = xstrndup(fetch_attr(d, "size", SLICE("0")).p, fetch_attr(d, "size", SLICE("0")).n);
	struct transfer_engine *g = transfer_engine_new(&settings.transfer, e);
	struct transfer_result r = { 0 };

	q.max_size = strtoull(size, NULL, 10);
	free(size);
	int rc = g ? transfer_get(g, &q, &r, e) : ERR_NETWORK;

	if (!rc && want && !hash_eq(want, &r.hash)) {
		struct buf shown = BUF_INIT;

		transfer_show_url(&shown, url);
		rc = err_set(e, ERR_HASH, "what '%s' has is not what is wanted", buf_str(&shown));
		buf_release(&shown);
	}
	transfer_result_release(&r);
	transfer_engine_free(g);
	return rc;
}

int fetch_find_python(struct slice file, struct buf *url, struct err *e)
{
	const char *slash = memchr(file.p, '/', file.n);
	struct transfer_engine *g;

	if (!slash)
		return err_set(e, ERR_INVALID, "'pypi:%.*s' must have a project and a file: pypi:PROJECT/FILE", (int)file.n,
			       file.p);
	if (!(g = transfer_engine_new(&settings.transfer, e)))
		return ERR_NETWORK;
	struct slice project = { file.p, (size_t)(slash - file.p) }, name = { slash + 1, file.n - project.n - 1 };
	int rc = pyindex_find(g, buf_str(&settings.python), project, name, url, e);

	transfer_engine_free(g);
	return rc;
}

int fetch_find_npm(struct slice file, struct buf *url, struct err *e)
{
	return npm_address(buf_str(&settings.npm), file, url, e);
}

/* The first that gives it.  Of the last the building side looks at the hash, and says what it is. */
static int fetch_first(const struct drv *d, const struct addresses *from, int fd, struct err *e)
{
	for (size_t i = 0; i < from->all.n; i++) {
		int is_last = i + 1 == from->all.n;
		struct err own = ERR_INIT;

		if (i == from->before)
			wait_for_turn();
		int rc = fetch_file(d, from->all.v[i], is_last ? NULL : hash_of_file(d), fd, is_last ? e : &own);

		if (is_last)
			return rc;
		if (rc)
			dprintf(2, "%s; trying the next address\n", own.msg);
		err_release(&own);
		if (!rc || (rc = fetch_restart(&fd, e)))
			return rc;
	}
	return 0;
}

static int has(const struct builtin_call *c, const char *name)
{
	return slice_eq(fetch_attr(c->drv, name, SLICE("")), SLICE("1"));
}

static int place_file(const struct builtin_call *c, int fd, const char *out, struct err *e)
{
	if (has(c, "archive"))
		return archive_place(fd, out, has(c, "stripRoot"), e);
	if (has(c, "unpack"))
		return nar_place(c, fd, slice_ends(fetch_attr(c->drv, "url", SLICE("")), SLICE(".xz")), out, e);
	if (has(c, "executable") && fchmod(fd, 0755))
		return err_errno(e, "cannot make '%s' executable", out);
	return 0;
}

static int fetch_to_output(const struct builtin_call *c, const struct addresses *from, struct err *e)
{
	int fd = -1, rc = fetch_builders_prepare(e);
	struct buf out = BUF_INIT;

	if (!rc)
		rc = builtin_output(c, SLICE("out"), &out, e);
	if (!rc) {
		fd = has(c, "unpack") || has(c, "archive") ?
			     fetch_scratch(c->top, e) :
			     open(out.p, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0)
			rc = err_errno(e, "cannot make '%s'", out.p);
	}
	if (!rc)
		rc = fetch_first(c->drv, from, fd, e);
	if (!rc)
		rc = place_file(c, fd, out.p, e);
	if (fd >= 0)
		close(fd);
	buf_release(&out);
	return rc;
}

static int build_fetchurl(const struct builtin_call *c, struct err *e)
{
	struct addresses from = { 0 };
	int rc = find_addresses(c->drv, &from, e);

	if (!rc && !from.all.n)
		rc = err_set(e, ERR_INVALID, "attribute 'url' missing");
	if (!rc)
		rc = fetch_to_output(c, &from, e);
	words_release(&from.all);
	return rc;
}

/* --- builtin:go-archive --- */

static void add_archive_url(struct buf *b, struct slice file)
{
	const char *base = fetch_settings.go_archives;

	buf_addf(b, "%s%s%.*s", base, slice_ends(slice_of(base), SLICE("/")) ? "" : "/", (int)file.n, file.p);
}

static int build_go_archive(const struct builtin_call *c, struct err *e)
{
	struct buf url = BUF_INIT;
	struct addresses from = { 0 };
	struct slice file;
	int rc = builtin_attr(c, "file", &file, e);

	if (!rc) {
		add_archive_url(&url, file);
		words_add(&from.all, url.p);
		from.before = 1;
		rc = fetch_to_output(c, &from, e);
	}
	words_release(&from.all);
	buf_release(&url);
	return rc;
}

const struct builtin_builder fetch_builders[] = {
	{ "go-archive", build_go_archive, 0, 1 },
	{ "go-module", build_go_module, 0, 1 },
	{ "release", build_release, 0, 1 },
	{ "fetchurl", build_fetchurl, 1, 1 },
	{ NULL, NULL, 0, 0 },
};

/* --- the other side --- */

/* The path of one address of a list, when it is a file: address. */
static void show_file(struct slice address, void (*show)(void *arg, const char *path), void *arg)
{
	struct slice prefix = SLICE("file://"), path;
	struct arena mem = ARENA_INIT;
	struct err ignored = ERR_INIT;

	if (slice_starts(address, prefix)) {
		/* What is wrong with it the builder says when it uses it. */
		if (!url_decode((struct slice){ address.p + prefix.n, address.n - prefix.n }, &mem, &path, &ignored) &&
		    path.n && path.p[0] == '/') {
			char *text = arena_dup(&mem, path.p, path.n);
			show(arg, text);
		}
		err_release(&ignored);
	}
	arena_release(&mem);
}

static void show_addresses(const struct drv *d, void (*show)(void *arg, const char *path), void *arg)
{
	struct addresses from = { 0 };
	struct err ignored = ERR_INIT;

	if (!settings.apt_known)
		apt_sources_read(&settings.apt, fetch_settings.apt_folder);
	settings.apt_known = 1;
	if (find_addresses(d, &from, &ignored))
		err_release(&ignored);
	for (size_t i = 0; i < from.all.n; i++)
		show_file(slice_of(from.all.v[i]), show, arg);
	words_release(&from.all);
}

static void show_archive(const struct drv *d, void (*show)(void *arg, const char *path), void *arg)
{
	struct buf url = BUF_INIT;

	add_archive_url(&url, fetch_attr(d, "file", SLICE("")));
	show_file((struct slice){ buf_str(&url), url.len }, show, arg);
	buf_release(&url);
}

struct shown {
	void (*show)(void *arg, const char *path);
	void *arg;
};

static void show_source(struct slice address, void *arg)
{
	const struct shown *s = arg;

	show_file(address, s->show, s->arg);
}

static int unpacks(const struct drv *d)
{
	return slice_in_words(d->builder, "builtin:go-unpack builtin:release builtin:unpack-deb builtin:unpack-channel") ||
	       slice_eq(fetch_attr(d, "archive", SLICE("")), SLICE("1"));
}

/* The builder may run no program. */
static int ask_programs(struct err *e)
{
	int rc;

	go_settings_ask(&settings.go);
	rc = go_auth_check(settings.go.auth, e);
	if (!rc && go_auth_kinds(settings.go.auth) & GO_AUTH_PROGRAMS) {
		rc = builder_auth_start(settings.go.auth, e);
		settings.go.credentials = builder_auth_ask;
	}
	return rc;
}

/* A file in the user's cache that all his builds lock, so that one at a time asks; 0: there is no such place. */
static int turn_file(void)
{
	struct err ignored = ERR_INIT;
	struct buf path = BUF_INIT;

	if (!settings.turn && !cache_folder("locks", &path, &ignored)) {
		buf_adds(&path, "/archives");
		settings.turn = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		settings.turn = settings.turn < 0 ? 0 : settings.turn;
	}
	buf_release(&path);
	err_release(&ignored);
	return settings.turn;
}

int fetch_builder_input(void *user, const struct drv *d)
{
	(void)user;
	if (slice_eq(d->builder, SLICE("builtin:fetchurl")) && drv_env(d, SLICE("archiveUrls")))
		return turn_file();
	return slice_eq(d->builder, SLICE("builtin:go-module")) ? builder_ask_input() : 0;
}

/* The go command of the toolchain that the module is for, NULL for none. */
static char *find_go(const struct store *s, const struct drv *d)
{
	struct slice file = fetch_attr(d, "goEnv", SLICE("")), rest = SLICE("/go.env");
	struct buf path = BUF_INIT;
	struct store_path p;

	if (!slice_ends(file, rest) || store_path_parse(store_dir(s), (struct slice){ file.p, file.n - rest.n }, &p, NULL))
		return NULL;
	store_add_real_path(s, &path, &p);
	buf_adds(&path, "/bin/go");
	return buf_detach(&path, NULL);
}

/* It may have to come from its repository. */
static int expect_repository(const struct store *s, const struct drv *d, struct err *e)
{
	struct go_job j;
	char *go;
	int rc;

	/* What is wrong with it the builder says. */
	if (go_job_read(d, &j, NULL))
		return 0;
	go = find_go(s, d);
	rc = builder_repository_expect(&j.m, go, e);
	free(go);
	settings.go.direct = builder_repository_get;
	return rc;
}

/* Programs are asked only for those who need the answer. */
static void read_indexes(const struct drv *d)
{
	struct slice all = fetch_attr(d, "sources", SLICE("")), url = fetch_attr(d, "url", SLICE(""));

	if (!settings.python.len && memmem(all.p, all.n, "pypi:", 5))
		pyindex_address(&settings.python);
	if (!settings.npm.len && (memmem(all.p, all.n, "npm:", 4) || slice_starts(url, SLICE("npm://"))))
		npm_registry(&settings.npm);
	if (!settings.crates.len && slice_starts(url, SLICE("crates://")))
		crates_registry(&settings.crates);
}

int fetch_builder_paths(void *user, const struct store *s, const struct drv *d, void (*show)(void *arg, const char *path),
			void *arg, struct err *e)
{
	int rc = fetch_builders_prepare(e);
	const char *p;

	(void)user;
	if (!rc && slice_eq(d->builder, SLICE("builtin:go-module")))
		rc = ask_programs(e);
	if (!rc && slice_eq(d->builder, SLICE("builtin:go-module")))
		rc = expect_repository(s, d, e);
	p = settings.go.proxy;
	/* Inside, there would be no library to load. */
	if (!rc && slice_starts(d->builder, SLICE("builtin:")))
		rc = transfer_load(e);
	if (!rc && unpacks(d))
		rc = archive_load(e);
	if (!rc && slice_eq(fetch_attr(d, "unpack", SLICE("")), SLICE("1")))
		rc = decompress_load(COMPRESS_XZ, e);
	/* What asks for no hash is refused, and sees nothing before that. */
	if (rc || !builtin_is_fixed(d))
		return rc;
	read_indexes(d);
	if (slice_eq(d->builder, SLICE("builtin:fetchurl")))
		show_addresses(d, show, arg);
	if (slice_eq(d->builder, SLICE("builtin:go-archive")))
		show_archive(d, show, arg);
	if (slice_eq(d->builder, SLICE("builtin:release")))
		release_addresses(d, show_source, &(struct shown){ show, arg });
	for (; slice_eq(d->builder, SLICE("builtin:go-module")) && p && *p; p += p[strcspn(p, ",|")] != 0) {
		size_t n = strcspn(p, ",|");

		show_file((struct slice){ p, n }, show, arg);
		p += n;
	}
	return 0;
}

static int mod_file_h1(int dirfd, const char *name, struct hash *h1, struct err *e)
{
	struct hash sha256;
	struct h1 h = { 0 };
	struct stat st;
	int rc = nar_hash_file_flat(HASH_SHA256, dirfd, name, &sha256, NULL, e);

	if (!rc && (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mode & 0100))
		rc = err_set(e, ERR_INVALID, "the go.mod must not be executable");
	if (rc)
		return rc;
	h1_add(&h, SLICE("go.mod"), &sha256);
	rc = h1_finish(&h, h1, e);
	h1_release(&h);
	return rc;
}

int fetch_content_hash(void *user, const struct drv *d, struct slice mode, int dirfd, const char *name, struct hash *out,
		       struct err *e)
{
	struct go_job j;
	struct hash h1;
	int rc;

	(void)user;
	if (!slice_eq(mode, SLICE(GO_H1_MODE)))
		return 1;
	if ((rc = go_job_read(d, &j, e)))
		return rc;
	rc = j.only_mod ? mod_file_h1(dirfd, name, &h1, e) : go_module_tree_h1(dirfd, name, &j.m, &h1, e);
	if (!rc)
		go_h1_address(j.m.path, &h1, out);
	return rc;
}
