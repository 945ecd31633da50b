/* SPDX-License-Identifier: MIT
 *
 * A handful of connections at once, each for one small request, each for a few seconds: whoever holds them keeps nobody else out
 * for long, and what is told is no secret.
 */
#include "config.h"
#include "kube/health.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "kube/cache.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CONNECTIONS = 16, SECONDS = 3, MAX_REQUEST = 4096, DEAD_S = 60 };

struct visit {
	struct health *h;
	int fd;
};

void health_beat(struct health *h)
{
	h->alive_at = (long long)kube_now();
}

static void add_metric(struct buf *b, const char *name, const char *type, const char *what, unsigned long value)
{
	buf_addf(b, "# HELP gx_devpod_%s %s\n# TYPE gx_devpod_%s %s\ngx_devpod_%s %lu\n", name, what, name, type, name, value);
}

static void add_metrics(struct buf *b, struct health *h)
{
	add_metric(b, "leader", "gauge", "Whether this process does the work.", (unsigned long)h->leads);
	add_metric(b, "devpods", "gauge", "DevPods in the cluster.", h->devpods);
	add_metric(b, "devpods_ready", "gauge", "Those that are ready.", h->devpods_ready);
	add_metric(b, "reconciles_total", "counter", "How often a DevPod was looked after.", h->reconciles);
	add_metric(b, "failures_total", "counter", "How often that failed.", h->failures);
	add_metric(b, "renders_total", "counter", "How often one was evaluated.", h->renders);
	add_metric(b, "lists_total", "counter", "Collections that were listed.", h->lists);
	add_metric(b, "events_total", "counter", "Events that came.", h->events);
	add_metric(b, "watch_failures_total", "counter", "Lists and watches that failed.", h->watch_failures);
}

static int answer(struct health *h, const char *path, struct buf *b)
{
	if (!strcmp(path, "/metrics")) {
		add_metrics(b, h);
		return 200;
	}
	if (strcmp(path, "/healthz") && strcmp(path, "/readyz"))
		return 404;
	int ok = (long long)kube_now() - h->alive_at < DEAD_S && (path[1] == 'h' || h->ready);

	buf_adds(b, ok ? "ok\n" : "no\n");
	return ok ? 200 : 503;
}

static void talk(struct health *h, int fd)
{
	char text[MAX_REQUEST + 1], method[8], path[64];
	struct buf body = BUF_INIT, out = BUF_INIT;
	size_t n = 0;
	ssize_t got;
	int status = 400;
	double until = kube_now() + SECONDS;

	text[0] = 0;
	while (n < MAX_REQUEST && !strstr(text, "\r\n\r\n") && kube_now() < until &&
	       (got = recv(fd, text + n, MAX_REQUEST - n, 0)) > 0) {
		n += (size_t)got;
		text[n] = 0;
	}
	if (sscanf(text, "%7s %63[^ ?]", method, path) == 2)
		status = strcmp(method, "GET") ? 405 : answer(h, path, &body);
	buf_addf(&out,
		 "HTTP/1.1 %d %s\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		 status, status == 200 ? "OK" : "No", body.len, buf_str(&body));
	send(fd, out.p, out.len, MSG_NOSIGNAL);
	buf_release(&body);
	buf_release(&out);
}

static void *visit(void *arg)
{
	struct visit v = *(struct visit *)arg;

	free(arg);
	talk(v.h, v.fd);
	close(v.fd);
	v.h->connections--;
	return NULL;
}

static void take(struct health *h, int fd)
{
	const struct timeval patience = { .tv_sec = SECONDS };
	struct visit *v;
	pthread_t thread;

	if (h->connections >= CONNECTIONS) {
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	v = xmalloc(sizeof *v);
	*v = (struct visit){ h, fd };
	h->connections++;
	if (!pthread_create(&thread, NULL, visit, v)) {
		pthread_detach(thread);
		return;
	}
	h->connections--;
	close(fd);
	free(v);
}

static void *serve(void *arg)
{
	struct health *h = arg;

	for (;;) {
		int fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			take(h, fd);
		else if (errno != EINTR)
			usleep(100000);
	}
	return NULL;
}

static int listen_at(const char *address, unsigned *port, struct err *e)
{
	const struct addrinfo want = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct sockaddr_storage at;
	socklen_t n = sizeof at;
	struct addrinfo *a;
	char text[16];
	int fd, yes = 1;

	snprintf(text, sizeof text, "%u", *port);
	if (getaddrinfo(address, text, &want, &a))
		return err_set(e, ERR_INVALID, "'%s' is no numeric address to serve at", address);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 64) || getsockname(fd, (struct sockaddr *)&at, &n) ||
	    getnameinfo((struct sockaddr *)&at, n, NULL, 0, text, sizeof text, NI_NUMERICSERV)) {
		err_errno(e, "cannot serve at '%s' port %u", address, *port);
		if (fd >= 0)
			close(fd);
		fd = ERR_IO;
	}
	freeaddrinfo(a);
	*port = (unsigned)strtoul(text, NULL, 10);
	return fd;
}

int health_start(struct health *h, const char *address, unsigned *port, struct err *e)
{
	sigset_t all, before;
	pthread_t thread;
	int rc;

	h->fd = listen_at(address, port, e);
	if (h->fd < 0)
		return h->fd;
	/* Signals are for who works. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&thread, NULL, serve, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return err_set(e, ERR_IO, "cannot start a thread");
	pthread_detach(thread);
	return 0;
}
