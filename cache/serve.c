/* SPDX-License-Identifier: MIT
 *
 * A server of our own, and not a library: an archive is pushed out by the thread that makes it, which libraries want to pull; and
 * what there is to it is little.  Requests have no body, answers have a length that is known before (the size of the archive stands
 * in the database), and connections are kept.
 *
 * Each connection has a thread; what a client may cost is bounded: so many connections, so many bytes of a request, so many seconds
 * of waiting for it or for it to take what it asked for.  The database has one user, and so a lock.
 */
#include "config.h"
#include "cache/serve.h"
#include "base/alloc.h"
#include "cache/readers.h"
#include "format/basen.h"
#include "format/nar.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_SIZE = 8192, TOKEN_SIZE = 6144, CONNECTIONS = 256, SECONDS = 30 };

struct server {
	struct store *s;
	const struct serve_options *o;
	pthread_mutex_t lock; /* of the database, and of this: */
	struct readers readers;
	atomic_int connections;
};

struct connection {
	struct server *server;
	int fd;
	size_t have; /* bytes in text */
	char text[REQUEST_SIZE + 1];
};

struct request {
	int head, keep;
	char path[256];
	char token[TOKEN_SIZE]; /* "" for none */
};

/* --- requests --- */

/* 1 when a request is whole, 0 at the end of the connection (or of patience). */
static int read_request(struct connection *c, size_t *length)
{
	for (;;) {
		char *end;
		ssize_t n;

		c->text[c->have] = 0;
		end = strstr(c->text, "\r\n\r\n");
		if (end) {
			*length = (size_t)(end - c->text) + 4;
			return 1;
		}
		if (c->have == REQUEST_SIZE || strlen(c->text) < c->have)
			return 0;
		n = recv(c->fd, c->text + c->have, REQUEST_SIZE - c->have, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		c->have += (size_t)n;
	}
}

/* Whether the connection is to be kept: as HTTP/1.1 does unless it says otherwise. */
static int keeps(const char *text, int modern)
{
	for (const char *line = strstr(text, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
		const char *v = line + 2;

		if (strncasecmp(v, "connection:", 11))
			continue;
		v += 11 + strspn(v + 11, " \t");
		if (!strncasecmp(v, "close", 5))
			return 0;
		if (!strncasecmp(v, "keep-alive", 10))
			return 1;
	}
	return modern;
}

/* The token of a request: as it is, or the password where a user and a password are told. */
static void read_token(const char *text, char token[TOKEN_SIZE])
{
	const char *line = text;
	size_t n;

	token[0] = 0;
	while ((line = strstr(line, "\r\n")) && line[2] != '\r') {
		line += 2;
		if (strncasecmp(line, "authorization:", 14))
			continue;
		const char *v = line + 14 + strspn(line + 14, " \t");
		size_t scheme = strcspn(v, " \r"), length = strcspn(v + scheme + (v[scheme] == ' '), " \r\n");

		v += scheme + (v[scheme] == ' ');
		if (length >= TOKEN_SIZE)
			return;
		if (scheme == 6 && !strncasecmp(v - 7, "bearer", 6)) {
			memcpy(token, v, length);
			token[length] = 0;
		} else if (scheme == 5 && !strncasecmp(v - 6, "basic", 5) &&
			   !base64_decode(v, length, (uint8_t *)token, &n, NULL)) {
			const char *colon = memchr(token, ':', n);
			size_t rest = colon ? n - (size_t)(colon + 1 - token) : 0;

			memmove(token, colon ? colon + 1 : token, rest);
			token[rest] = 0;
		}
		return;
	}
}

/* The status when it is none that is answered, else 0. */
static int parse(const char *text, struct request *r)
{
	char method[8], version[12];

	if (sscanf(text, "%7s %255s %11s", method, r->path, version) != 3 || strncmp(version, "HTTP/1.", 7))
		return 400;
	r->keep = keeps(text, !strcmp(version, "HTTP/1.1"));
	r->head = !strcmp(method, "HEAD");
	r->path[strcspn(r->path, "?")] = 0;
	read_token(text, r->token);
	return r->head || !strcmp(method, "GET") ? 0 : 405;
}

/* --- answers --- */

/* more: what follows goes into the same packet. Sent alone it would wait until the other side has acknowledged this, which it puts
 * off for 40 ms. */
static int send_all(int fd, const char *p, size_t n, int more)
{
	while (n) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL | (more ? MSG_MORE : 0));

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int send_head(struct connection *c, const struct request *r, int status, const char *type, uint64_t size)
{
	static const struct {
		int status;
		const char *words;
	} words[] = { { 200, "OK" },
		      { 400, "Bad Request" },
		      { 401, "Unauthorized" },
		      { 403, "Forbidden" },
		      { 404, "Not Found" },
		      { 405, "Method Not Allowed" },
		      { 500, "Internal Server Error" },
		      { 503, "Service Unavailable" } };
	struct buf b = BUF_INIT;
	size_t i = 0;
	int rc;

	while (words[i].status != status)
		i++;
	buf_addf(&b, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n", status, words[i].words, type,
		 (unsigned long long)size, status == 405 ? "Allow: GET, HEAD\r\n" :
		 status == 401 ? "WWW-Authenticate: Basic realm=\"gx\"\r\n" : "", r->keep ? "" : "Connection: close\r\n");
	rc = send_all(c->fd, b.p, b.len, !r->head && size);
	buf_release(&b);
	return rc;
}

static int send_text(struct connection *c, const struct request *r, int status, const char *type, const struct buf *b)
{
	int rc = send_head(c, r, status, type, b->len);

	return rc || r->head ? rc : send_all(c->fd, buf_str(b), b->len, 0);
}

static int send_status(struct connection *c, const struct request *r, int status)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_addf(&b, "%d\n", status);
	rc = send_text(c, r, status, "text/plain", &b);
	buf_release(&b);
	return rc;
}

static int send_piece(void *user, const void *p, size_t n, struct err *e)
{
	struct connection *c = user;

	return send_all(c->fd, p, n, 0) ? err_set(e, ERR_NETWORK, "the client is gone") : 0;
}

/* An archive that comes out different from what the row says breaks the connection, which the client sees. */
static int send_archive(struct connection *c, const struct request *r, const struct path_info *i)
{
	const struct nar_sink sink = { send_piece, c };

	if (send_head(c, r, 200, "application/x-nix-nar", i->nar_size))
		return -1;
	return r->head ? 0 : nar_write(store_fd(c->server->s), i->path.base, i->path.base, NULL, &sink, NULL);
}

/* --- what there is --- */

/* The row of the object whose digest this is: 0, ERR_NOTFOUND, or another failure. */
static int find(struct server *s, struct slice digest, struct path_info *i)
{
	struct store_path p;
	struct err e = ERR_INIT;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = db_find_digest(store_db(s->s), digest, &p, &e);
	rc = rc ? rc : db_info(store_db(s->s), &p, i, &e);
	pthread_mutex_unlock(&s->lock);
	err_release(&e);
	return rc;
}

static int add_narinfo(struct server *s, struct path_info *i, struct buf *b)
{
	char url[STORE_HASH_LEN + 16];
	struct narinfo n = { .path = i->path, .url = url, .nar_hash = i->nar_hash, .nar_size = i->nar_size, .refs = i->refs,
			     .deriver = i->deriver, .ca = i->ca, .file_hash = i->nar_hash, .file_size = i->nar_size };
	size_t added = 0;
	int rc = path_info_sign(s->o->keys, store_dir(s->s), i, &added, NULL);

	snprintf(url, sizeof url, "nar/%.*s.nar", STORE_HASH_LEN, i->path.base);
	n.sigs = i->sigs;
	narinfo_add(b, store_dir(s->s), &n);
	return rc;
}

/* "DIGEST" and then exactly `end`. */
static int is_name(const char *name, const char *end)
{
	return strlen(name) == STORE_HASH_LEN + strlen(end) && !strcmp(name + STORE_HASH_LEN, end);
}

/* --- who may read it --- */

static int tell_refused(struct server *s, int status, const char *object, const struct buf *who, const char *why)
{
	if (s->o->refused)
		s->o->refused(s->o->user, status, object, buf_str(who), why);
	return status;
}

/* 0, or the status that says why not.  What is in no tenant's closure is nobody's. */
static int refuses(struct server *s, const struct request *r, const struct store_path *p)
{
	struct words tenants = { 0 };
	struct buf who = BUF_INIT;
	struct err e = ERR_INIT;
	int rc, status = 0;

	if (!s->o->may)
		return 0;
	pthread_mutex_lock(&s->lock);
	rc = readers_find(&s->readers, s->s, p, &tenants, &e);
	pthread_mutex_unlock(&s->lock);
	rc = rc ? rc : s->o->may(s->o->user, slice_of(r->token), &tenants, &who, &e);
	if (rc == ERR_DENIED)
		status = tell_refused(s, 401, p->base, &who, e.msg);
	else if (rc < 0)
		status = tell_refused(s, 503, p->base, &who, e.msg);
	else if (!rc)
		status = tell_refused(s, 403, p->base, &who, "it may read no store that has this");
	words_release(&tenants);
	buf_release(&who);
	err_release(&e);
	return status;
}

static int answer(struct connection *c, const struct request *r)
{
	struct server *s = c->server;
	const char *name = r->path + 1;
	int archive = !strncmp(name, "nar/", 4), rc;
	struct path_info i = { 0 };
	struct buf b = BUF_INIT;

	if (!strcmp(r->path, "/nix-cache-info")) {
		buf_addf(&b, "StoreDir: %.*s\nWantMassQuery: 1\nPriority: %d\n", (int)store_dir(s->s).n, store_dir(s->s).p,
			 s->o->priority);
		rc = send_text(c, r, 200, "text/x-nix-cache-info", &b);
		buf_release(&b);
		return rc;
	}
	name += archive ? 4 : 0;
	if (*r->path != '/' || !is_name(name, archive ? ".nar" : ".narinfo"))
		return send_status(c, r, 404);
	/* Who says nothing of himself does not learn what there is. */
	if (s->o->may && !*r->token)
		return send_status(c, r, 401);
	rc = find(s, (struct slice){ name, STORE_HASH_LEN }, &i);
	if (rc)
		return send_status(c, r, rc == ERR_NOTFOUND || rc == ERR_INVALID ? 404 : 500);
	int refused = refuses(s, r, &i.path);

	if (refused)
		rc = send_status(c, r, refused);
	else if (archive)
		rc = send_archive(c, r, &i);
	else if (add_narinfo(s, &i, &b))
		rc = send_status(c, r, 500);
	else
		rc = send_text(c, r, 200, "text/x-nix-narinfo", &b);
	buf_release(&b);
	path_info_release(&i);
	return rc;
}

/* --- connections --- */

static void *talk(void *arg)
{
	struct connection *c = arg;
	size_t length;

	while (read_request(c, &length)) {
		struct request r = { .keep = 0 };
		int status = parse(c->text, &r), rc;

		if (status)
			r.keep = 0;
		rc = status ? send_status(c, &r, status) : answer(c, &r);
		if (rc || !r.keep)
			break;
		c->have -= length;
		memmove(c->text, c->text + length, c->have);
	}
	close(c->fd);
	c->server->connections--;
	free(c);
	return NULL;
}

static void take(struct server *s, int fd)
{
	const struct timeval patience = { .tv_sec = SECONDS };
	struct connection *c;
	pthread_t thread;

	if (s->connections >= CONNECTIONS) {
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	c = xcalloc(1, sizeof *c);
	c->server = s;
	c->fd = fd;
	s->connections++;
	if (!pthread_create(&thread, NULL, talk, c)) {
		pthread_detach(thread);
		return;
	}
	s->connections--;
	close(fd);
	free(c);
}

static int listen_at(const struct serve_options *o, struct err *e)
{
	const struct addrinfo want = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *a;
	char port[16];
	int fd, yes = 1;

	snprintf(port, sizeof port, "%u", o->port);
	if (getaddrinfo(o->host, port, &want, &a))
		return err_set(e, ERR_INVALID, "'%s' is no numeric address to serve at", o->host);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 128)) {
		err_errno(e, "cannot serve at '%s' port %u", o->host, o->port);
		if (fd >= 0)
			close(fd);
		fd = ERR_IO;
	}
	freeaddrinfo(a);
	return fd;
}

static int tell(const struct serve_options *o, int fd, struct err *e)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;
	char port[16];
	struct buf b = BUF_INIT;

	if (getsockname(fd, (struct sockaddr *)&a, &n) ||
	    getnameinfo((struct sockaddr *)&a, n, NULL, 0, port, sizeof port, NI_NUMERICSERV))
		return err_errno(e, "cannot tell where it is served");
	buf_addf(&b, strchr(o->host, ':') ? "http://[%s]:%s" : "http://%s:%s", o->host, port);
	o->ready(o->user, b.p);
	buf_release(&b);
	return 0;
}

int cache_serve(struct store *s, const struct serve_options *o, struct err *e)
{
	struct server server = { .s = s, .o = o, .lock = PTHREAD_MUTEX_INITIALIZER };
	int fd = listen_at(o, e), rc = fd < 0 ? fd : tell(o, fd, e);

	while (!rc) {
		int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (one >= 0)
			take(&server, one);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			usleep(100000); /* until some of them are done */
		else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
			rc = err_errno(e, "cannot take connections");
	}
	if (fd >= 0)
		close(fd);
	return rc;
}
