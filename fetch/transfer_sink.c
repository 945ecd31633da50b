/* SPDX-License-Identifier: MIT
 *
 * What happens to the bytes of a transfer, and what transfers need from the machine.  No libcurl here.
 */
#include "config.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "fetch/interrupt.h"
#include "base/fdio.h"
#include "fetch/fetch_settings.h"
#include "fetch/netrc.h"
#include "fetch/transfer_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

double transfer_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void transfer_show_url(struct buf *b, const char *url)
{
	const char *host = strstr(url, "://"), *end, *at;

	if (!host) {
		buf_adds(b, url);
		return;
	}
	host += 3;
	end = host + strcspn(host, "/?#");
	at = memrchr(host, '@', (size_t)(end - host));
	buf_add(b, url, (size_t)(host - url));
	buf_adds(b, at ? at + 1 : host);
}

void transfer_result_release(struct transfer_result *r)
{
	free(r->etag);
	free(r->final_url);
	free(r->immutable);
	memset(r, 0, sizeof *r);
}

int transfer_write_buf(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

int transfer_restart_buf(void *user, struct err *e)
{
	(void)e;
	buf_trim(user, 0);
	return 0;
}

int transfer_sink(struct transfer *t, const void *p, size_t n, uint64_t total)
{
	const struct transfer_request *q = &t->req;
	uint64_t size = t->result.size;
	int rc = 0;

	if (q->max_size && (total > q->max_size || n > q->max_size - size)) {
		rc = err_set(&t->err, ERR_LIMIT, "it is larger than %llu bytes", (unsigned long long)q->max_size);
	} else {
		t->result.size += n;
		if (q->algo)
			hash_update(&t->hash, p, n);
		if (q->write)
			rc = q->write(q->user, p, n, &t->err);
		activity_progress(t->activity, t->result.size, total);
		if (q->progress)
			q->progress(q->user, t->result.size, total);
	}
	t->rc = rc;
	return rc;
}

int transfer_sink_restart(struct transfer *t)
{
	const struct transfer_request *q = &t->req;
	int rc = 0;

	if (t->result.size && q->write && !q->restart)
		rc = ERR_NETWORK;
	else if (t->result.size && q->restart)
		rc = q->restart(q->user, &t->err);
	t->result.size = 0;
	free(t->validator);
	t->validator = NULL;
	if (q->algo)
		hash_init(&t->hash, q->algo);
	t->rc = rc;
	return rc;
}

void transfer_finish(struct transfer *t, int rc)
{
	struct buf b = BUF_INIT;

	if (!rc && t->req.algo)
		hash_final(&t->hash, &t->result.hash);
	if (rc) {
		transfer_show_url(&b, t->req.url);
		err_set(&t->err, rc, "unknown failure");
		err_prefix(&t->err, t->req.upload ? "cannot send to '%s'" : "cannot fetch '%s'", buf_str(&b));
		buf_release(&b);
	}
	t->rc = rc;
	t->state = TRANSFER_DONE;
	activity_end(t->activity, rc);
}

/* --- settings --- */

struct fetch_settings fetch_settings = {
	.allow_dirty = 1,
	.go_archives = "https://go.dev/dl",
	.apt_folder = "/etc/apt",
	.connect_s = 5,
	.stall_s = 30,
	.attempts = 5,
	.per_host = 6,
	.large_tree = 100 << 20,
};

char *fetch_access_token(const char *place)
{
	static const char blanks[] = " \t\n";
	size_t best = 0, n;
	char *token = NULL;

	for (const char *p = fetch_settings.access_tokens; p && *(p += strspn(p, blanks)); p += n) {
		const char *equal = memchr(p, '=', n = strcspn(p, blanks));
		size_t name = equal ? (size_t)(equal - p) : 0;

		if (name <= best || strncmp(place, p, name) || (place[name] && place[name] != '/'))
			continue;
		best = name;
		free(token);
		token = xstrndup(equal + 1, n - name - 1);
	}
	return token;
}

void transfer_settings_init(struct transfer_settings *s)
{
	const struct fetch_settings *f = &fetch_settings;

	*s = (struct transfer_settings){ .connect_ms = f->connect_s * 1000, .stall_s = f->stall_s, .attempts = f->attempts,
					 .retry_ms = 250, .per_host = f->per_host, .cancel_fd = fetch_interrupt_fd };
}

void transfer_settings_release(struct transfer_settings *s)
{
	/* It holds passwords. */
	buf_wipe(&s->netrc);
	buf_release(&s->ca);
}

/* Appends a file; 1 when it could be read and is not empty. */
static int read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int bad = fd < 0 || fd_read_all(fd, out);

	if (fd >= 0)
		close(fd);
	return !bad && out->len > 0;
}

static int load_ca(struct transfer_settings *s, struct err *e)
{
	static const char *const names[] = { "NIX_SSL_CERT_FILE", "SSL_CERT_FILE" };
	static const char *const places[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/ca-bundle.pem",
					      "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };

	if ((s->ca_file = fetch_settings.ca_file))
		return read_file(s->ca_file, &s->ca) ? 0
						     : err_errno(e, "cannot read the certificates '%s' named by ssl-cert-file",
								 s->ca_file);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *path = getenv(names[i]);

		if (!path || !*path)
			continue;
		/* Falling back from what the user named could mean trusting more than he wants. */
		s->ca_file = path;
		return read_file(path, &s->ca) ? 0
					    : err_errno(e, "cannot read the certificates '%s' named by %s", path, names[i]);
	}
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (read_file(places[i], &s->ca)) {
			s->ca_file = places[i];
			return 0;
		}
	return 0;
}

int transfer_settings_load(struct transfer_settings *s, struct err *e)
{
	transfer_settings_init(s);
	int rc = netrc_load(&s->netrc, e);

	if (!rc)
		rc = load_ca(s, e);
	if (rc)
		transfer_settings_release(s);
	return rc;
}
