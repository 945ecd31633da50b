/* SPDX-License-Identifier: MIT
 *
 * One thread is enough: the collector polls between any two files it removes, so an answer takes as long as one
 * unlink.  The protocol is in temp_roots.c: a line with a full path, answered by "1".
 *
 * A client that sends nonsense or nothing is dropped; it can then neither slow a collection nor end it.
 */
#include "config.h"
#include "store/gc_server.h"
#include "base/alloc.h"
#include "store/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 + STORE_BASE_MAX, CLIENTS_MAX = 512 };

struct client {
	int fd;
	int waiting; /* answers that are held back */
	struct buf line;
};

struct gc_server {
	struct store *s;
	int (*told)(void *arg, const struct store_path *p);
	void *arg;
	int fd, dirfd;
	struct client *clients;
	size_t n;
};

static void drop(struct gc_server *g, size_t i)
{
	close(g->clients[i].fd);
	buf_release(&g->clients[i].line);
	g->clients[i] = g->clients[--g->n];
}

static void answer(struct client *c)
{
	/* One byte into an empty socket buffer; a client that is gone is noticed at its next read. */
	send(c->fd, "1", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void take_lines(struct gc_server *g, struct client *c)
{
	size_t from = 0;

	for (char *nl; from < c->line.len && (nl = memchr(c->line.p + from, '\n', c->line.len - from));
	     from = (size_t)(nl - c->line.p) + 1) {
		struct slice text = { c->line.p + from, (size_t)(nl - c->line.p) - from };
		struct store_path p;
		if (!store_path_parse(store_dir(g->s), text, &p, NULL) && g->told(g->arg, &p))
			c->waiting++;
		else
			answer(c);
	}
	if (from) {
		memmove(c->line.p, c->line.p + from, c->line.len - from);
		buf_trim(&c->line, c->line.len - from);
	}
}

/* 0 when the client is gone. */
static int read_client(struct gc_server *g, struct client *c)
{
	char chunk[4096];
	ssize_t n;

	while ((n = recv(c->fd, chunk, sizeof chunk, MSG_DONTWAIT)) > 0) {
		buf_add(&c->line, chunk, (size_t)n);
		take_lines(g, c);
		if (c->line.len > LINE_MAX_BYTES)
			return 0;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void accept_clients(struct gc_server *g)
{
	int fd;

	while (g->n < CLIENTS_MAX && (fd = accept4(g->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		g->clients[g->n++] = (struct client){ .fd = fd, .line = BUF_INIT };
}

void gc_server_poll(struct gc_server *g)
{
	accept_clients(g);
	for (size_t i = g->n; i-- > 0;)
		if (!read_client(g, &g->clients[i]))
			drop(g, i);
}

void gc_server_release_waiting(struct gc_server *g)
{
	for (size_t i = 0; i < g->n; i++)
		for (; g->clients[i].waiting; g->clients[i].waiting--)
			answer(&g->clients[i]);
}

int gc_server_open(struct gc_server **out, struct store *s, int (*told)(void *arg, const struct store_path *p), void *arg,
		   struct err *e)
{
	struct gc_server *g = xcalloc(1, sizeof *g);
	struct sockaddr_un a;

	*g = (struct gc_server){ s, told, arg, -1, -1, xcalloc(CLIENTS_MAX, sizeof *g->clients), 0 };
	*out = g;
	if (store_gc_socket_address(s->state_fd, 1, &a, &g->dirfd) < 0) {
		g->dirfd = -1;
		return err_errno(e, "cannot make the collector's socket");
	}
	unlinkat(g->dirfd, "socket", 0); /* of a dead collector: we hold the lock */
	g->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (g->fd < 0 || bind(g->fd, (struct sockaddr *)&a, sizeof a) < 0 || chmod(a.sun_path, 0666) < 0 ||
	    listen(g->fd, 64) < 0)
		return err_errno(e, "cannot listen on the collector's socket");
	return 0;
}

void gc_server_free(struct gc_server *g)
{
	if (!g)
		return;
	gc_server_release_waiting(g);
	while (g->n)
		drop(g, g->n - 1);
	if (g->fd >= 0)
		close(g->fd);
	if (g->dirfd >= 0) {
		unlinkat(g->dirfd, "socket", 0);
		close(g->dirfd);
	}
	free(g->clients);
	free(g);
}
