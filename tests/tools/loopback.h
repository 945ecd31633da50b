/* SPDX-License-Identifier: MIT
 *
 * A web server for tests, in threads of the test's own process: on 127.0.0.1, at a port of the system's choice.
 * The test decides, request by request, what is answered, byte by byte if it likes.
 */
#ifndef TESTS_LOOPBACK_H
#define TESTS_LOOPBACK_H

#include <stddef.h>

struct loopback;

/* A request: the first line's two words, and all header lines as they came, NUL-terminated. */
struct loopback_request {
	const char *method, *path, *headers;
	unsigned count; /* requests of this path before */
};

/* Answers one, by loopback_send or loopback_answer, in a thread of its own; the connection is closed afterwards. */
typedef void (*loopback_fn)(void *user, int fd, const struct loopback_request *r);

struct loopback *loopback_start(loopback_fn answer, void *user);
void loopback_stop(struct loopback *l);
unsigned loopback_port(const struct loopback *l);

void loopback_send(int fd, const void *p, size_t n);
void loopback_say(int fd, const char *text);

/* A whole answer: status ("200 OK"), more header lines (each with its \r\n, or ""), body. */
void loopback_answer(int fd, const char *status, const char *headers, const void *body, size_t n);

/* The value of a header of the request into out; 1 when it is there. */
int loopback_header(const struct loopback_request *r, const char *name, char *out, size_t size);

#endif
