/* SPDX-License-Identifier: MIT
 *
 * gx devpod controller: the loop of kube/controller.c, with an evaluator that knows what DevPods become.
 *
 * The function is evaluated once; what it is given and what comes out is forgotten with each DevPod.
 */
#include "config.h"
#include "base/alloc.h"
#include "builtins/json.h"
#include "cli/cluster.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/verb.h"
#include "cli/verbs/gx_devpod.h"
#include "eval/eval.h"
#include "kube/controller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { O_ADDRESS = 1, O_PORT, O_LEASE, O_HOST_STORE };
enum { PATIENCE_S = 2 };

struct controller_command {
	struct flake_cmd f; /* first: the evaluation gets it */
	struct cluster cluster;
	const char *address, *lease_namespace;
	unsigned port;
	int host_store;
	struct health health;
	W objects; /* lib.devpod.objects, while the evaluator runs */
};

static volatile int stopping;

static void stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static int on_option(void *arg, int id, char **values)
{
	struct controller_command *c = arg;
	unsigned long n;
	char *end;

	if (id >= CLUSTER_OPTION_FIRST && id < CLUSTER_OPTION_LAST)
		return cluster_option(&c->cluster, c->f.c.program, id, values);
	switch (id) {
	case O_ADDRESS: c->address = values[0]; return 0;
	case O_LEASE: c->lease_namespace = values[0]; return 0;
	case O_HOST_STORE: c->host_store = 1; return 0;
	case O_PORT:
		n = strtoul(values[0], &end, 10);
		c->port = (unsigned)n;
		return *values[0] >= '0' && *values[0] <= '9' && !*end && n < 65536 ?
			       0 :
			       usage_error(c->f.c.program, "--port takes a number below 65536, not '%s'", values[0]);
	}
	return flake_cmd_option(&c->f, id, values);
}

/* --- rendering --- */

struct rendering {
	struct controller_command *c;
	struct slice devpod;
	struct buf text; /* collected */
};

static void evaluate(void *arg)
{
	struct rendering *r = arg;

	r->text = (struct buf)BUF_GC;
	devpod_print(&r->text, call1(r->c->objects, value_from_json(r->devpod.p, r->devpod.n)));
}

static int render(void *user, struct slice devpod, struct buf *out, struct err *e)
{
	struct rendering r = { user, devpod, BUF_GC };
	struct failure f;

	if (!unwind_run(evaluate, &r, &f, TRACE_NONE)) {
		const struct str *message = w_get_str(f.msg);

		return err_set(e, ERR_INVALID, "%.*s", (int)message->len, message->b);
	}
	buf_add(out, buf_str(&r.text), r.text.len);
	return 0;
}

/* --- running --- */

static void tell(void *user, const char *line)
{
	(void)user;
	report_line("%s", line);
}

/* A name that no other process has, and that says where it is. */
static void add_identity(struct buf *b)
{
	char host[256] = "";
	unsigned char some[4] = { 0 };

	gethostname(host, sizeof host - 1);
	if (getrandom(some, sizeof some, 0) < 0)
		some[0] = (unsigned char)getpid();
	buf_addf(b, "%s-%ld-%02x%02x%02x%02x", host, (long)getpid(), some[0], some[1], some[2], some[3]);
}

static void run(struct flake_cmd *f, struct buf *out)
{
	struct controller_command *c = (struct controller_command *)f;
	struct buf identity = BUF_INIT;
	struct controller_options o = { .k = c->cluster.k, .namespace = c->cluster.choice.namespace,
					.lease_namespace = c->lease_namespace ? c->lease_namespace : kube_namespace(c->cluster.k),
					.host_store = c->host_store, .stop = &stopping, .health = &c->health, .render = render,
					.say = tell, .user = c };

	(void)out;
	c->objects = devpod_library("objects");
	add_identity(&identity);
	o.identity = identity.p;
	/* An evaluation that is interrupted ends the program; this gives its work back first. */
	signals_push(SIGNALS_END, stop);
	controller_run(&o);
	signals_pop();
	buf_release(&identity);
}

int devpod_controller_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_ADDRESS, 0, "address", "ADDRESS", "Where health and metrics are told (127.0.0.1; 0.0.0.0 in a pod)." },
		{ O_PORT, 'p', "port", "PORT", "The port for them (8080); 0: any that is free." },
		{ O_LEASE, 0, "lease-namespace", "NAME",
		  "Where the Lease lies that says who of several does the work (the context's)." },
		{ O_HOST_STORE, 0, "allow-host-store", NULL, "DevPods may mount the store of their node (store.mode hostPath)." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "The cluster", cluster_option_table },
						      { "The store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx devpod controller", "make pods of the DevPods in a cluster", "gx devpod controller [options]",
		"Runs until it is told to end, in a cluster as gx devpod manifests prints it. With --namespace it looks after that "
		"namespace alone.\nTells /healthz, /readyz and /metrics over HTTP.", groups
	};
	struct controller_command c = { .address = getenv("KUBERNETES_SERVICE_HOST") ? "0.0.0.0" : "127.0.0.1", .port = 8080 };
	struct err e = ERR_INIT;
	int rc, status = EXIT_FAILED;

	c.f.c = (struct command){ .program = &program, .option = on_option, .arg = &c };
	rc = command_read(&c.f.c, argc, argv, 0, COMMAND_NOTHING, "");
	if (rc != COMMAND_GO)
		return rc;
	rc = kube_config_load(&c.cluster.config, &c.cluster.choice, &e);
	rc = rc ? rc : kube_open(&c.cluster.k, &c.cluster.config, &stopping, &e);
	rc = rc ? rc : health_start(&c.health, c.address, &c.port, &e);
	if (!rc) {
		kube_be_patient(c.cluster.k, PATIENCE_S);
		report_line("DevPods of '%s' are looked after; health and metrics are at http://%s:%u", c.cluster.config.server,
			    c.address, c.port);
		status = flake_cmd_evaluate(&c.f, run);
	}
	cluster_release(&c.cluster);
	return command_end(&c.f.c, rc ? command_fail(&e) : status);
}
