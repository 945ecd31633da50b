/* SPDX-License-Identifier: MIT
 *
 * One thread accepts, one thread a connection answers one request.  No TLS, no keep-alive, no mercy: it is for saying
 * the wrong thing on purpose.
 */
#include "config.h"
#include "tests/tools/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATHS = 64 };

struct loopback {
	int fd;
	unsigned port;
	loopback_fn answer;
	void *user;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned running;
	char paths[PATHS][128];
	unsigned counts[PATHS];
};

struct connection {
	struct loopback *l;
	int fd;
};

void loopback_send(int fd, const void *p, size_t n)
{
	const char *q = p;

	while (n) {
		ssize_t k = send(fd, q, n, MSG_NOSIGNAL);

		if (k <= 0)
			return;
		q += k;
		n -= (size_t)k;
	}
}

void loopback_say(int fd, const char *text)
{
	loopback_send(fd, text, strlen(text));
}

void loopback_answer(int fd, const char *status, const char *headers, const void *body, size_t n)
{
	char head[1024];

	snprintf(head, sizeof head, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n", status, n, headers);
	loopback_say(fd, head);
	loopback_send(fd, body, n);
}

int loopback_header(const struct loopback_request *r, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);

	for (const char *p = r->headers; (p = strstr(p, "\r\n")); ) {
		p += 2;
		if (strncasecmp(p, name, n) || p[n] != ':')
			continue;
		p += n + 1 + strspn(p + n + 1, " ");
		snprintf(out, size, "%.*s", (int)strcspn(p, "\r\n"), p);
		return 1;
	}
	return 0;
}

static unsigned count(struct loopback *l, const char *path)
{
	unsigned n = 0;

	pthread_mutex_lock(&l->lock);
	for (int i = 0; i < PATHS; i++) {
		if (!l->paths[i][0])
			snprintf(l->paths[i], sizeof l->paths[i], "%s", path);
		if (!strcmp(l->paths[i], path)) {
			n = l->counts[i]++;
			break;
		}
	}
	pthread_mutex_unlock(&l->lock);
	return n;
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	struct loopback *l = c->l;
	char text[8192], method[16] = "", path[1024] = "", drain[4096];
	size_t n = 0;
	ssize_t k;

	while (n < sizeof text - 1 && (k = recv(c->fd, text + n, sizeof text - 1 - n, 0)) > 0) {
		n += (size_t)k;
		text[n] = 0;
		if (strstr(text, "\r\n\r\n"))
			break;
	}
	if (n && sscanf(text, "%15s %1023s", method, path) == 2) {
		struct loopback_request r = { method, path, text, count(l, path) };

		l->answer(l->user, c->fd, &r);
	}
	/* Closing with unread input would reset the connection under the client. */
	shutdown(c->fd, SHUT_WR);
	while (recv(c->fd, drain, sizeof drain, MSG_DONTWAIT) > 0)
		;
	close(c->fd);
	free(c);
	pthread_mutex_lock(&l->lock);
	l->running--;
	pthread_cond_signal(&l->idle);
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

static void *run(void *arg)
{
	struct loopback *l = arg;
	int fd;

	while ((fd = accept(l->fd, NULL, NULL)) >= 0) {
		struct connection *c = malloc(sizeof *c);
		pthread_t t;

		*c = (struct connection){ l, fd };
		pthread_mutex_lock(&l->lock);
		l->running++;
		pthread_mutex_unlock(&l->lock);
		if (pthread_create(&t, NULL, serve, c))
			abort();
		pthread_detach(t);
	}
	return NULL;
}

struct loopback *loopback_start(loopback_fn answer, void *user)
{
	struct loopback *l = calloc(1, sizeof *l);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;

	l->answer = answer;
	l->user = user;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->idle, NULL);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&a, n) || listen(l->fd, 64) ||
	    getsockname(l->fd, (struct sockaddr *)&a, &n) || pthread_create(&l->thread, NULL, run, l)) {
		perror("loopback");
		abort();
	}
	l->port = ntohs(a.sin_port);
	return l;
}

void loopback_stop(struct loopback *l)
{
	shutdown(l->fd, SHUT_RDWR);
	pthread_join(l->thread, NULL);
	pthread_mutex_lock(&l->lock);
	while (l->running)
		pthread_cond_wait(&l->idle, &l->lock);
	pthread_mutex_unlock(&l->lock);
	close(l->fd);
	free(l);
}

unsigned loopback_port(const struct loopback *l)
{
	return l->port;
}
