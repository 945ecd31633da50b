/* SPDX-License-Identifier: MIT
 *
 * gx daemon, nix-daemon: the store for other users, and for other machines over ssh.
 */
#include "config.h"
#include "base/alloc.h"
#include "builtins/constants.h"
#include "cli/build_options.h"
#include "cli/command.h"
#include "cli/nix/nix.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/verb.h"
#include "remote/daemon.h"
#include "remote/listen.h"
#include "remote/relay.h"
#include "remote/remote_settings.h"
#include "remote/serve.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_STDIO = 1, O_SOCKET, O_TRUST, O_DISTRUST, O_NOTHING };

struct daemon {
	struct place_request request;
	const char *socket;
	int stdio, forced;
	struct build_options build;
	const struct store *store; /* that is served */
};

static int on_option(struct daemon *d, int id, char **values)
{
	switch (id) {
	case O_STDIO: d->stdio = 1; break;
	case O_SOCKET: d->socket = values[0]; break;
	case O_TRUST: d->forced = 1; break;
	case O_DISTRUST: d->forced = -1; break;
	}
	return 0;
}

/* What a client set.  Settings are borrowed texts, so these stay. */
static void set_for_client(void *user, const char *name, const char *value)
{
	static char **kept;
	static size_t n, cap;

	struct daemon *d = user;

	ARRAY_GROW(kept, n + 2, cap);
	kept[n++] = xstrdup(name);
	kept[n++] = xstrdup(value);
	settings_set_from(kept[n - 2], kept[n - 1], "a client");
	/* Machines are among what was found out of the settings. */
	if (d->store && !strcmp(name, "builders"))
		build_options_prepare(&d->build, d->store);
}

/* How a client of either protocol is served. */
enum how { AS_DAEMON, AS_SERVE, AS_SERVE_READING };

/* The client is handed on to a store of others, as whoever this process is; so it has to be trusted here. */
static int relay(const struct place *place, enum how how, int in, int out, int trusted, struct err *e)
{
	struct remote_address a = { .kind = REMOTE_SOCKET };
	int is_remote = remote_address_is(place->address), rc = is_remote ? remote_address_parse(place->address, &a, e) : 0;

	if (rc)
		return rc;
	if (!is_remote || how == AS_SERVE_READING || a.serves != (how == AS_SERVE))
		rc = err_set(e, ERR_INVALID, "'%s' cannot be served from here: %s", place->address,
			     how == AS_DAEMON ? "a daemon hands on to daemon, unix:// and ssh-ng://"
					      : "'--serve --write' hands on to ssh://");
	else if (!trusted)
		rc = err_set(e, ERR_DENIED, "'%s' is served to trusted clients alone", place->address);
	else
		rc = remote_relay(&a, in, out, e);
	remote_address_release(&a);
	return rc;
}

/* One client, whose process this is. */
static int serve(struct daemon *d, enum how how, int in, int out, int trusted)
{
	const struct daemon_options o = { .trusted = trusted, .version = NIX_VERSION, .build = &d->build.settings,
					  .trusted_substituters = remote_settings.trusted_substituters,
					  .setting = set_for_client, .user = d };
	struct place place = { 0 };
	struct store *store = NULL;
	struct err e = ERR_INIT;
	int rc = place_choose(&place, &d->request, &e);

	if (!rc && place.mode == PLACE_VIEW)
		rc = relay(&place, how, in, out, trusted, &e);
	else
		rc = rc ? rc : store_open(&store, &place, 0, &e);
	if (!rc && store) {
		d->store = store;
		build_options_prepare(&d->build, store);
		rc = how == AS_DAEMON ? daemon_serve(store, in, out, &o, &e) :
					serve_run(store, in, out, how == AS_SERVE, &o, &e);
	}
	store_free(store);
	place_release(&place);
	return rc ? command_fail(&e) : EXIT_DONE;
}

static void serve_connection(void *user, int fd, int trusted)
{
	serve(user, AS_DAEMON, fd, fd, trusted);
}

static void ready(void *user, const char *path)
{
	(void)user;
	report_line("note: listening at '%s'", path);
}

static void refused(void *user, const char *text)
{
	(void)user;
	report_line("note: %s", text);
}

/* Where clients look for it. */
static char *usual_socket(const struct daemon *d, struct err *e)
{
	const char *said = getenv("NIX_DAEMON_SOCKET_PATH");
	struct place place;
	struct buf b = BUF_INIT;

	if (said && *said)
		return xstrdup(said);
	if (place_choose(&place, &d->request, e))
		return NULL;
	buf_addf(&b, "%s/daemon-socket/socket", place.state_dir);
	place_release(&place);
	return buf_detach(&b, NULL);
}

static int run(struct daemon *d)
{
	const struct listen_options o = {
		.allowed = remote_settings.allowed_users ? remote_settings.allowed_users : USUAL_ALLOWED,
		.trusted = remote_settings.trusted_users ? remote_settings.trusted_users : USUAL_TRUSTED,
		.forced = d->forced, .serve = serve_connection, .ready = ready, .note = refused, .user = d
	};
	struct err e = ERR_INIT;
	char *path;

	build_options_init(&d->build);
	if (d->stdio)
		return serve(d, AS_DAEMON, STDIN_FILENO, STDOUT_FILENO, d->forced >= 0);
	path = d->socket ? xstrdup(d->socket) : usual_socket(d, &e);
	if (path)
		daemon_listen(path, &o, &e);
	free(path);
	return command_fail(&e);
}

/* --- gx daemon --- */

static const struct option options[] = {
	{ O_STDIO, 0, "stdio", NULL, "Serve one client, on standard input and output: what ssh starts." },
	{ O_SOCKET, 0, "socket", "PATH",
	  "Listen there, instead of NIX_DAEMON_SOCKET_PATH or the store's var/nix/daemon-socket/socket." },
	{ O_TRUST, 0, "force-trusted", NULL, "Trust every client, whatever 'trusted-users' says." },
	{ O_DISTRUST, 0, "force-untrusted", NULL, "Trust none." },
	{ O_NOTHING, 0, "default-trust", NULL, NULL },
	{ O_NOTHING, 0, "daemon", NULL, NULL },
	{ 0 }
};

static int on_verb_option(void *arg, int id, char **values)
{
	return on_option(arg, id, values);
}

int daemon_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx daemon", "serve the store to other users and machines", "gx daemon [options]\ngx daemon --stdio",
		"Nix and gx are its clients, by the protocol of Nix's daemon: with NIX_REMOTE=daemon or --store unix://PATH, and "
		"over\n"
		"ssh with --store ssh-ng://HOST, which starts 'nix-daemon --stdio' there.\n"
		"The setting allowed-users says who may connect, trusted-users who may do all that the owner of the store may:\n"
		"also add what nobody signed.\n",
		groups
	};
	struct daemon d = { 0 };
	struct command c = { .program = &program, .option = on_verb_option, .arg = &d };
	int rc = command_read(&c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	if (c.n)
		return command_end(&c, usage_error(&program, "'gx daemon' takes no operand"));
	d.request = c.request;
	return command_end(&c, run(&d));
}

/* --- nix-store --serve --- */

int nix_serve(const char *store, int may_write)
{
	struct daemon d = { .request.store = store };

	build_options_init(&d.build);
	return serve(&d, may_write ? AS_SERVE : AS_SERVE_READING, STDIN_FILENO, STDOUT_FILENO, 1);
}

/* --- nix-daemon --- */

struct daemon_line {
	struct nix_line l; /* first */
	struct daemon d;
};

static int on_nix_option(struct nix_line *l, int id, char **values)
{
	return on_option(&((struct daemon_line *)l)->d, id, values);
}

int nix_daemon_run(int argc, char **argv)
{
	static const struct option own[] = {
		{ O_STDIO, 0, "stdio", NULL, "Serve one client, on standard input and output." },
		{ O_TRUST, 0, "force-trusted", NULL, "Trust every client." },
		{ O_DISTRUST, 0, "force-untrusted", NULL, "Trust none." },
		{ O_NOTHING, 0, "default-trust", NULL, NULL },
		{ O_NOTHING, 0, "daemon", NULL, NULL },
		NIX_OPTIONS_OF_ALL,
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", own }, { 0 } };
	static const struct program program = { "nix-daemon", "serve the store to other users and machines",
						"nix-daemon [--stdio]", NULL, groups };
	struct daemon_line d = { .l = { .program = &program, .option = on_nix_option } };
	int rc = nix_line_read(&d.l, argc, argv);

	if (rc == COMMAND_GO) {
		d.d.request.store = d.l.store;
		rc = run(&d.d);
	}
	nix_line_release(&d.l);
	return rc;
}
