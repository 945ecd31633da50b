/* SPDX-License-Identifier: MIT
 *
 *     question   'r', path, NUL, version, NUL, ending
 *     answer     "+" and the bytes of the file, or "-" and what went wrong
 *
 * The go command keeps what it brings in the cache of the user, modules/ (fetch/cache.h), where the next version of a module finds
 * the repository; it locks what it writes there itself.
 */
#include "config.h"
#include "build/builder_repository.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "build/builder_ask.h"
#include "fetch/cache.h"
#include "fetch/program.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 65536 };

/* Modules whose builders were started, as "path\0version", and a go command. */
static struct {
	pthread_mutex_t lock;
	struct buf *v;
	size_t n, cap;
	char *go;
} expected = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void add_name(struct buf *b, const struct module_version *m)
{
	buf_add(b, m->path.p, m->path.n);
	buf_addc(b, 0);
	buf_add(b, m->version.p, m->version.n);
}

static int is_expected(const struct buf *name)
{
	int found = 0;

	pthread_mutex_lock(&expected.lock);
	for (size_t i = 0; i < expected.n && !found; i++)
		found = expected.v[i].len == name->len && !memcmp(expected.v[i].p, name->p, name->len);
	pthread_mutex_unlock(&expected.lock);
	return found;
}

int builder_repository_expect(const struct module_version *m, const char *go, struct err *e)
{
	struct buf name = BUF_INIT;

	add_name(&name, m);
	if (is_expected(&name)) {
		buf_release(&name);
	} else {
		pthread_mutex_lock(&expected.lock);
		ARRAY_GROW(expected.v, expected.n + 1, expected.cap);
		expected.v[expected.n++] = name;
		if (!expected.go && go && !access(go, X_OK))
			expected.go = xstrdup(go);
		pthread_mutex_unlock(&expected.lock);
	}
	return builder_ask_start(e);
}

/* --- the answering side --- */

static void add_environment(struct words *env, const char *modules)
{
	static const char *const ours[] = { "GOMODCACHE=", "GOCACHE=", "GOPROXY=",     "GONOPROXY=", "GOFLAGS=", "GOTOOLCHAIN=",
					    "GOSUMDB=",	   "GOWORK=",  "GO111MODULE=", "GOROOT=",    "GOENV=",	 "GOPATH=" };
	const char *file = getenv("GOENV");

	for (char **v = environ; *v; v++) {
		size_t i = 0;

		while (i < sizeof ours / sizeof *ours && strncmp(*v, ours[i], strlen(ours[i])))
			i++;
		if (i == sizeof ours / sizeof *ours)
			words_add(env, *v);
	}
	words_addf(env, "GOMODCACHE=%s", modules);
	words_addf(env, "GOCACHE=%s/cache/build", modules);
	words_addf(env, "GOPATH=%s", modules);
	if (file)
		words_addf(env, "GOENV=%s", file);
	words_add(env, "GOPROXY=direct");
	/* Sums are compared with those of go.sum. */
	words_add(env, "GOSUMDB=off");
	words_add(env, "GOFLAGS=-modcacherw");
	words_add(env, "GOTOOLCHAIN=local");
	words_add(env, "GOWORK=off");
}

/* Brings the module into the folder; what the go command said is the error. */
static int download(const struct module_version *m, const char *modules, struct err *e)
{
	struct words argv = { 0 }, env = { 0 };

	pthread_mutex_lock(&expected.lock);
	words_add(&argv, expected.go ? expected.go : "go");
	pthread_mutex_unlock(&expected.lock);
	words_add(&argv, "-C");
	words_add(&argv, modules);
	words_add(&argv, "mod");
	words_add(&argv, "download");
	words_addf(&argv, "%.*s@%.*s", (int)m->path.n, m->path.p, (int)m->version.n, m->version.p);
	add_environment(&env, modules);
	int rc = program_run(&argv, &env, NULL, NULL, e);

	words_release(&argv);
	words_release(&env);
	if (rc == ERR_NOTFOUND) {
		err_release(e);
		err_set(e, rc, "there is no go command to fetch it from its repository with; GOPROXY can name a module proxy");
	}
	return rc;
}

/* Opens its file, which is brought first when it is not there. */
static int open_file(const struct module_version *m, const char *ending, struct err *e)
{
	struct buf modules = BUF_INIT, file = BUF_INIT;
	int fd = -1, rc = cache_folder("modules", &modules, e);

	buf_addf(&file, "%s/cache/download/", buf_str(&modules));
	rc = rc ? rc : modpath_escape(&file, m->path, e);
	buf_adds(&file, "/@v/");
	rc = rc ? rc : modver_escape(&file, m->version, e);
	buf_addf(&file, ".%s", ending);
	if (!rc && (fd = open(file.p, O_RDONLY | O_CLOEXEC)) < 0 && !(rc = download(m, modules.p, e)) &&
	    (fd = open(file.p, O_RDONLY | O_CLOEXEC)) < 0)
		rc = err_errno(e, "cannot read '%s'", file.p);
	buf_release(&modules);
	buf_release(&file);
	return rc ? rc : fd;
}

void builder_repository_answer(struct slice question, int reply)
{
	const char *path = question.p + 1, *end = question.p + question.n, *version = memchr(path, 0, question.n - 1);
	const char *ending = version ? memchr(version + 1, 0, (size_t)(end - version - 1)) : NULL;
	struct buf name = BUF_INIT;
	struct err e = ERR_INIT;
	char piece[PIECE];
	ssize_t n;
	int fd;

	if (!ending)
		return;
	struct module_version m = { { path, (size_t)(version - path) }, { version + 1, (size_t)(ending - version - 1) } };
	int zip = slice_eq((struct slice){ ending + 1, (size_t)(end - ending - 1) }, SLICE("zip"));

	add_name(&name, &m);
	if (!is_expected(&name))
		fd = err_set(&e, ERR_DENIED, "it is not what is built");
	else
		fd = open_file(&m, zip ? "zip" : "mod", &e);
	builder_reply(reply, fd < 0 ? "-" : "+", 1);
	if (fd < 0 && e.msg)
		builder_reply(reply, e.msg, strlen(e.msg));
	while (fd >= 0 && (n = fd_read(fd, piece, sizeof piece)) > 0)
		builder_reply(reply, piece, (size_t)n);
	if (fd >= 0)
		close(fd);
	err_release(&e);
	buf_release(&name);
}

/* --- the asking side --- */

/* The text of an error, without the line ends behind it. */
static int refuse(int fd, struct err *e)
{
	struct buf text = BUF_INIT;

	fd_read_all(fd, &text);
	while (text.len && text.p[text.len - 1] == '\n')
		buf_trim(&text, text.len - 1);
	err_set(e, ERR_NETWORK, "%s", buf_str(&text));
	buf_release(&text);
	return ERR_NETWORK;
}

static int pass_on(int fd, const struct transfer_request *q, struct err *e)
{
	uint64_t size = 0;
	char piece[PIECE];
	ssize_t n;
	int rc = 0;

	while (!rc && (n = fd_read(fd, piece, sizeof piece)) > 0) {
		size += (uint64_t)n;
		rc = q->max_size && size > q->max_size ? err_set(e, ERR_LIMIT, "it is larger than a module may be") :
							 q->write(q->user, piece, (size_t)n, e);
	}
	return rc;
}

int builder_repository_get(const struct module_version *m, const char *ending, const struct transfer_request *q, struct err *e)
{
	struct buf question = BUF_INIT;
	char first;
	int rc;

	buf_addc(&question, BUILDER_REPOSITORY);
	add_name(&question, m);
	buf_addc(&question, 0);
	buf_adds(&question, ending);
	int fd = builder_ask(&question);

	if (fd < 0 || fd_read(fd, &first, 1) != 1)
		rc = err_set(e, ERR_NETWORK, "its repository cannot be asked");
	else
		rc = first == '+' ? pass_on(fd, q, e) : refuse(fd, e);
	if (fd >= 0)
		close(fd);
	buf_release(&question);
	return rc;
}
