/* SPDX-License-Identifier: MIT
 *
 * A host is handed to ssh as a word of its own: one that looks like an option is refused, so that no address runs a program.
 */
#include "config.h"
#include "remote/address.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "fetch/url.h"
#include "remote/remote_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct remote_settings remote_settings = { .allowed_users = NULL };

static int is_daemon(const char *text)
{
	return !strcmp(text, "daemon") || !strncmp(text, "daemon?", 7);
}

int remote_address_is(const char *text)
{
	static const char *const schemes[] = { "unix://", "ssh-ng://", "mounted-ssh-ng://", "ssh://" };

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (!strncmp(text, schemes[i], strlen(schemes[i])))
			return 1;
	return is_daemon(text);
}

static char *usual_socket(void)
{
	const char *said = getenv("NIX_DAEMON_SOCKET_PATH"), *state = getenv("NIX_STATE_DIR");
	struct buf b = BUF_INIT;

	if (said && *said)
		return xstrdup(said);
	buf_addf(&b, "%s/daemon-socket/socket", state && *state ? state : "/nix/var/nix");
	return buf_detach(&b, NULL);
}

static char *copy(struct slice s)
{
	return xstrndup(s.p, s.n);
}

static void take_param(struct remote_address *a, const struct url_param *p)
{
	const struct {
		const char *name;
		char **field;
	} known[] = { { "remote-program", &a->program }, { "remote-store", &a->remote_store }, { "ssh-key", &a->key },
		      { "base64-ssh-public-host-key", &a->host_key }, { "store", &a->store_dir }, { "real", &a->real } };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (slice_eq(p->name, slice_of(known[i].name))) {
			free(*known[i].field);
			*known[i].field = copy(p->value);
		}
	if (slice_eq(p->name, SLICE("compress")))
		a->compress = slice_eq(p->value, SLICE("true")) || slice_eq(p->value, SLICE("1"));
}

/* What is handed to ssh. */
static int check_words(const struct remote_address *a, const char *text, struct err *e)
{
	if (!a->host || !*a->host)
		return err_set(e, ERR_INVALID, "'%s' names no host", text);
	if (*a->host == '-' || (a->user && *a->user == '-'))
		return err_set(e, ERR_INVALID, "'%s': neither a user nor a host begins with '-'", text);
	return 0;
}

static int take_host(struct remote_address *a, const struct url *u, const char *text, struct err *e)
{
	char port[16];

	a->host = copy(u->host);
	if (u->has_user)
		a->user = copy(u->user);
	if (u->port) {
		snprintf(port, sizeof port, "%u", u->port);
		a->port = xstrdup(port);
	}
	if (u->npath > 1 || (u->npath == 1 && u->path[0].n))
		return err_set(e, ERR_INVALID, "'%s': nothing stands behind the host but parameters", text);
	return check_words(a, text, e);
}

static int take_url(struct remote_address *a, const char *text, struct err *e)
{
	struct arena mem = { 0 };
	struct url u;
	struct slice path;
	int rc = url_parse(slice_of(text), URL_LENIENT, &mem, &u, e);

	if (!rc && slice_eq(u.scheme, SLICE("unix"))) {
		a->kind = REMOTE_SOCKET;
		rc = url_path_to_file(&u, &mem, &path, e);
		if (!rc && (u.host.n || path.n < 2))
			rc = err_set(e, ERR_INVALID, "'%s' names no socket: unix:///PATH does", text);
		a->socket = rc ? NULL : copy(path);
	} else if (!rc) {
		a->kind = REMOTE_SSH;
		rc = take_host(a, &u, text, e);
	}
	for (size_t i = 0; !rc && i < u.nquery; i++)
		take_param(a, &u.query[i]);
	a->serves = slice_eq(u.scheme, SLICE("ssh"));
	a->mounted = slice_eq(u.scheme, SLICE("mounted-ssh-ng"));
	arena_release(&mem);
	return rc;
}

int remote_address_parse(const char *text, struct remote_address *out, struct err *e)
{
	int rc = 0;

	*out = (struct remote_address){ .kind = REMOTE_SOCKET, .shown = xstrndup(text, strcspn(text, "?")) };
	if (is_daemon(text))
		out->socket = usual_socket();
	else
		rc = take_url(out, text, e);
	if (rc)
		remote_address_release(out);
	return rc;
}

int remote_address_of_folder(const char *text, struct remote_address *out, struct err *e)
{
	if (!*text)
		return err_set(e, ERR_INVALID, "the name of a store is empty");
	*out = (struct remote_address){ .kind = REMOTE_FOLDER, .shown = xstrdup(text), .remote_store = xstrdup(text) };
	return 0;
}

void remote_address_release(struct remote_address *a)
{
	char *const v[] = { a->shown, a->socket, a->user, a->host, a->port, a->program, a->remote_store, a->key, a->store_dir,
			    a->host_key, a->features, a->real };

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		free(v[i]);
	*a = (struct remote_address){ 0 };
}
