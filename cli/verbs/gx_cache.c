/* SPDX-License-Identifier: MIT
 *
 * gx cache: the store for other machines.
 */
#include "config.h"
#include "cache/serve.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "kube/review.h"

#include <stdlib.h>
#include <string.h>

enum { O_PORT = 1, O_HOST, O_KEY, O_PRIORITY, O_TENANTS };

struct serve_command {
	struct command c;
	struct serve_options o;
	struct secret_keys keys;
	int tenants;
	struct cluster cluster;
	struct reviews *reviews;
};

static int number(const struct serve_command *s, const char *name, const char *text, unsigned long most, unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || *out > most)
		return usage_error(s->c.program, "--%s is a number up to %lu, not '%s'", name, most, text);
	return 0;
}

static int on_option(void *arg, int id, char **values)
{
	struct serve_command *s = arg;
	struct err e = ERR_INIT;
	unsigned long n = 0;
	int rc = 0;

	if (id >= CLUSTER_OPTION_FIRST && id < CLUSTER_OPTION_LAST)
		return cluster_option(&s->cluster, s->c.program, id, values);
	switch (id) {
	case O_TENANTS: s->tenants = 1; break;
	case O_HOST: s->o.host = values[0]; break;
	case O_PORT:
		rc = number(s, "port", values[0], 65535, &n);
		s->o.port = (unsigned)n;
		break;
	case O_PRIORITY:
		rc = number(s, "priority", values[0], 1000000, &n);
		s->o.priority = (int)n;
		break;
	case O_KEY:
		if (secret_keys_read(&s->keys, values[0], &e))
			rc = command_fail(&e);
	}
	return rc;
}

static void ready(void *user, const char *url)
{
	struct buf b = BUF_INIT;

	(void)user;
	buf_addf(&b, "%s\n", url);
	output_show(b.p, b.len);
	buf_release(&b);
}

/* --- where tenants share it --- */

static int may(void *user, struct slice token, const struct words *tenants, struct buf *who, struct err *e)
{
	struct serve_command *s = user;

	return reviews_may(s->reviews, token, tenants, who, e);
}

static void refused(void *user, int status, const char *object, const char *who, const char *why)
{
	(void)user;
	report_line("refused (%d): '%s' to %s: %s", status, object, *who ? who : "somebody", why);
}

static int with_tenants(struct serve_command *s, struct err *e)
{
	int rc = kube_config_load(&s->cluster.config, &s->cluster.choice, e);

	rc = rc ? rc : kube_open(&s->cluster.k, &s->cluster.config, NULL, e);
	if (rc)
		return rc;
	s->reviews = reviews_new(s->cluster.k);
	s->o.may = may;
	s->o.refused = refused;
	s->o.user = s;
	return 0;
}

static int serve_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_PORT, 'p', "port", "PORT", "The port (5000); 0: any that is free. Where it is served is printed." },
		{ O_HOST, 0, "host", "ADDRESS", "The address (127.0.0.1); 0.0.0.0 or :: for all of this machine." },
		{ O_KEY, 0, "sign-key", "FILE", "Sign what is served with the key in FILE. May be given several times." },
		{ O_TENANTS, 0, "tenants", NULL,
		  "Who asks shows a token of a Kubernetes cluster, and reads what the tenants keep whose stores it may get." },
		{ O_PRIORITY, 0, "priority", "N", "What it says of itself (30): smaller is asked first." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "The cluster, for --tenants", cluster_option_table },
						      { "Store", command_store_options },
						      { 0 } };
	static const struct program program = {
		"gx cache serve", "serve the store as a binary cache over HTTP", "gx cache serve [options]",
		"Read-only. Whoever can reach the port can read all of the store, unless tenants share it.\n"
		"Keys are also those of the setting secret-key-files.\n", groups
	};
	struct serve_command s = { .o = { .host = "127.0.0.1", .port = 5000, .priority = 30, .ready = ready } };
	struct err e = ERR_INIT;
	int rc;

	s.c = (struct command){ .program = &program, .option = on_option, .arg = &s };
	rc = command_read(&s.c, argc, argv, 0, 0, "");
	if (rc == COMMAND_GO && s.c.n)
		rc = command_end(&s.c, usage_error(&program, "'gx cache serve' takes no operand"));
	if (rc == COMMAND_GO && !(rc = command_open_reading(&s.c))) {
		s.o.keys = &s.keys;
		if (!secret_keys_of_settings(&s.keys, &e) && (!s.tenants || !with_tenants(&s, &e)))
			cache_serve(s.c.store, &s.o, &e);
		rc = command_end(&s.c, command_fail(&e));
	}
	reviews_free(s.reviews);
	cluster_release(&s.cluster);
	secret_keys_release(&s.keys);
	return rc;
}

const struct verb cache_verbs[] = {
	{ "serve", "serve the store as a binary cache over HTTP", serve_run, NULL },
	{ 0 }
};
