/* SPDX-License-Identifier: MIT
 *
 * gx devpod apply, status, delete: DevPods in a cluster.
 *
 * What is evaluated is rendered here in any case, so that a DevPod that cannot be is an error before anything is sent.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/cluster.h"
#include "cli/flake_cmd.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "cli/verbs/gx_devpod.h"
#include "eval/eval.h"
#include "kube/objects.h"

#include <stdlib.h>
#include <string.h>

enum { O_DIRECT = 1, O_NO_WAIT, O_WORKSPACE, O_ALL };

#define MANAGER "gx"

struct cluster_command {
	struct flake_cmd f; /* first: the evaluation gets it */
	struct cluster cluster;
	int direct, no_wait, workspace, everywhere;
	struct buf text; /* two lines: the DevPod, and the list that it becomes */
};

#define OPTION_TIMEOUT { CLUSTER_TIMEOUT, 0, "timeout", "SECONDS", "How long it may take (300)." }

static int on_option(void *arg, int id, char **values)
{
	struct cluster_command *c = arg;

	if (id >= CLUSTER_OPTION_FIRST && id < CLUSTER_OPTION_LAST)
		return cluster_option(&c->cluster, c->f.c.program, id, values);
	switch (id) {
	case O_DIRECT: c->direct = 1; return 0;
	case O_NO_WAIT: c->no_wait = 1; return 0;
	case O_WORKSPACE: c->workspace = 1; return 0;
	case O_ALL: c->everywhere = 1; return 0;
	}
	return flake_cmd_option(&c->f, id, values);
}

static int read_words(struct cluster_command *c, const struct program *p, int argc, char **argv, size_t min, size_t max)
{
	c->cluster.seconds = CLUSTER_WAIT_S;
	c->f.c = (struct command){ .program = p, .option = on_option, .arg = c };
	return command_read(&c->f.c, argc, argv, min, max, "a DevPod");
}

static int end(struct cluster_command *c, int rc, struct err *e)
{
	cluster_release(&c->cluster);
	buf_release(&c->text);
	return command_end(&c->f.c, rc ? command_fail(e) : EXIT_DONE);
}

/* --- apply --- */

static void evaluate(struct flake_cmd *f, struct buf *out)
{
	struct cluster_command *c = (struct cluster_command *)f;
	struct buf text = BUF_GC;
	W placed = call2(devpod_library("placed"), w_cstr(c->cluster.config.namespace), devpod_value(f));

	(void)out;
	devpod_print(&text, placed);
	devpod_print(&text, call1(devpod_library("render"), placed));
	buf_add(&c->text, text.p, text.len);
}

/* One object of the list; waits for one that has to go first. */
static int apply_one(struct cluster_command *c, struct arena *a, struct jnode *o, struct err *e)
{
	struct buf name = BUF_INIT;
	int waits = 1, rc = 0;

	buf_add(&name, tree_text(o, "metadata.name").p, tree_text(o, "metadata.name").n);
	rc = kube_apply_own(c->cluster.k, a, o, MANAGER, &waits, e);
	if (!rc && waits) {
		rc = cluster_wait_gone(&c->cluster, "Pod", buf_str(&name), c->cluster.seconds, e);
		rc = rc ? rc : kube_apply_own(c->cluster.k, a, o, MANAGER, &waits, e);
	}
	buf_release(&name);
	return rc;
}

static int apply_text(struct cluster_command *c, char **name, struct err *e)
{
	struct slice list = { buf_str(&c->text), c->text.len }, devpod = slice_cut(&list, '\n');
	struct arena a = ARENA_INIT;
	struct jnode *o = NULL, *items = NULL, *now;
	int rc = json_tree_parse(&a, devpod, &o, e);

	rc = rc ? rc : json_tree_parse(&a, list, &items, e);
	if (!rc) {
		*name = slice_string(tree_text(o, "metadata.name"));
		/* What it says itself counts. */
		free(c->cluster.config.namespace);
		c->cluster.config.namespace = slice_string(tree_text(o, "metadata.namespace"));
		if (c->cluster.choice.namespace && strcmp(c->cluster.choice.namespace, c->cluster.config.namespace))
			rc = err_set(e, ERR_INVALID, "the DevPod '%s' says that it is of the namespace '%s', not '%s'", *name,
				     c->cluster.config.namespace, c->cluster.choice.namespace);
	}
	if (!rc && c->cluster.has_devpods)
		rc = kube_apply(c->cluster.k, &a, o, MANAGER, &now, e);
	else if (!rc)
		for (o = tree_at(items, "items")->first; o && !rc; o = o->next)
			rc = apply_one(c, &a, o, e);
	arena_release(&a);
	return rc;
}

int devpod_apply_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_DIRECT, 0, "direct", NULL, "Apply the objects it becomes, also where a controller would." },
		{ O_NO_WAIT, 0, "no-wait", NULL, "Do not wait until it is ready." },
		OPTION_TIMEOUT,
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "The cluster", cluster_option_table },
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { 0 } };
	static const struct program program = {
		"gx devpod apply", "make a DevPod in a cluster", "gx devpod apply [options] FLAKE#ATTR | FILE | -",
		"Applies the DevPod where the cluster knows the kind, else the objects it becomes, and waits until it is ready.\n"
		"One that is there is changed; its pod is made anew only when it would be another.", groups
	};
	struct cluster_command c = { .direct = 0 };
	struct err e = ERR_INIT;
	char *name = NULL;
	int rc = read_words(&c, &program, argc, argv, 1, 1);

	if (rc != COMMAND_GO)
		return rc;
	rc = cluster_open(&c.cluster, NULL, &e);
	if (!rc && (rc = flake_cmd_evaluate(&c.f, evaluate))) {
		cluster_release(&c.cluster);
		buf_release(&c.text);
		return command_end(&c.f.c, rc);
	}
	c.cluster.has_devpods &= !c.direct;
	rc = rc ? rc : apply_text(&c, &name, &e);
	if (!rc && !c.no_wait)
		rc = cluster_wait_ready(&c.cluster, name, c.cluster.seconds, &e);
	if (!rc)
		report_line("the DevPod '%s' %s", name, c.no_wait ? "was applied" : "is ready");
	free(name);
	return end(&c, rc, &e);
}

/* --- status --- */

static int look(void *user, const struct kube_cache *all)
{
	(void)user, (void)all;
	return 1;
}

/* What it is called here: with its namespace where there are several. */
static void add_name(const struct cluster_command *c, struct buf *out, const struct kube_cached *o)
{
	if (c->everywhere)
		buf_addf(out, "%.*s/", (int)o->namespace.n, o->namespace.p);
	buf_add(out, o->name.p, o->name.n);
}

static void print_line(const struct cluster_command *c, struct buf *out, const struct kube_cached *o, size_t width)
{
	struct buf name = BUF_INIT;
	struct pod_state s;

	cluster_state(&c->cluster, &s, o->o);
	add_name(c, &name, o);
	buf_addf(out, "%-*s  %-11s  %.*s%s%.*s\n", (int)width, buf_str(&name), pod_phase_name(s.phase), (int)s.reason.n, s.reason.p,
		 s.message.n ? ": " : "", (int)s.message.n, s.message.p);
	buf_release(&name);
}

/* The flake that a DevPod says that it is from, or its pod where there is nothing else. */
static struct slice flake_of(const struct jnode *o)
{
	const struct jnode *note = json_member(tree_at(o, "metadata.annotations"), SLICE("gx.dev/flake"));

	return note && note->kind == JSON_STRING ? note->str : tree_text(o, "spec.flakeRef");
}

static void print_json(const struct cluster_command *c, struct buf *out, const struct kube_cache *all, const char *only)
{
	struct arena a = ARENA_INIT;
	struct jnode *list = json_node(&a, JSON_ARRAY), *last = NULL;

	for (size_t i = 0; i < all->n; i++) {
		struct jnode *o = json_node(&a, JSON_OBJECT);
		struct pod_state s;

		if (only && !slice_eq(slice_of(only), all->v[i].name))
			continue;
		cluster_state(&c->cluster, &s, all->v[i].o);
		tree_set_text(&a, o, "name", all->v[i].name);
		tree_set_text(&a, o, "namespace", all->v[i].namespace);
		tree_set_text(&a, o, "phase", slice_of(pod_phase_name(s.phase)));
		tree_set_text(&a, o, "reason", s.reason);
		tree_set_text(&a, o, "message", s.message);
		if (flake_of(all->v[i].o).n)
			tree_set_text(&a, o, "flakeRef", flake_of(all->v[i].o));
		json_append(list, &last, o);
	}
	json_tree_write(out, list);
	buf_addc(out, '\n');
	arena_release(&a);
}

static int print_status(struct cluster_command *c, const struct kube_cache *all, struct err *e)
{
	const char *only = c->f.c.n ? c->f.c.operands[0] : NULL;
	struct buf out = BUF_INIT;
	size_t width = 4, found = 0;
	int rc = 0;

	for (size_t i = 0; i < all->n; i++) {
		size_t n = all->v[i].name.n + (c->everywhere ? all->v[i].namespace.n + 1 : 0);

		width = n > width ? n : width;
	}
	for (size_t i = 0; i < all->n; i++)
		if (!only || slice_eq(slice_of(only), all->v[i].name)) {
			found++;
			if (!c->f.c.json)
				print_line(c, &out, &all->v[i], width);
		}
	if (c->f.c.json)
		print_json(c, &out, all, only);
	if (only && !found)
		rc = err_set(e, ERR_NOTFOUND, "there is no DevPod '%s' in the namespace '%s'", only, kube_namespace(c->cluster.k));
	else if (output_show(buf_str(&out), out.len))
		rc = err_set(e, ERR_IO, "cannot write it");
	buf_release(&out);
	return rc;
}

int devpod_status_run(int argc, char **argv)
{
	static const struct option options[] = { { O_ALL, 'A', "all-namespaces", NULL, "Of all namespaces." },
						 OPTION_JSON,
						 OPTION_TIMEOUT,
						 { 0 } };
	static const struct option_group groups[] = { { "Options", options }, { "The cluster", cluster_option_table },
						      { "Help", command_help_options }, { 0 } };
	static const struct program program = { "gx devpod status", "what DevPods are up to", "gx devpod status [options] [NAME]",
						"A line for each: its name, its phase, and why.\n"
						"As JSON also the flake that it is from, for gx flake audit.", groups };
	struct cluster_command c = { .direct = 0 };
	struct kube_cache all = { .query = "" };
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = read_words(&c, &program, argc, argv, 0, 1);

	if (rc != COMMAND_GO)
		return rc;
	rc = cluster_open(&c.cluster, NULL, &e);
	if (!rc)
		rc = kube_path(&path, c.cluster.has_devpods ? "DevPod" : "Pod",
			       c.everywhere ? NULL : kube_namespace(c.cluster.k), NULL, &e);
	all.k = c.cluster.k;
	all.path = buf_str(&path);
	if (!c.cluster.has_devpods)
		all.query = "labelSelector=app.kubernetes.io%2Fname%3Ddevpod";
	rc = rc ? rc : kube_follow(&all, c.cluster.seconds, look, NULL, &e);
	rc = rc ? rc : print_status(&c, &all, &e);
	kube_cache_release(&all);
	buf_release(&path);
	return end(&c, rc, &e);
}

/* --- delete --- */

/* What was applied from here; the workspace stays unless it is to go. */
static int delete_objects(struct cluster_command *c, const char *name, int *was, struct err *e)
{
	static const char *const kinds[] = { "Pod", "NetworkPolicy", "ServiceAccount", "PersistentVolumeClaim" };
	const char *namespace = kube_namespace(c->cluster.k);
	int rc = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds - !c->workspace && !rc; i++) {
		struct arena a = ARENA_INIT;
		struct jnode *o = NULL;
		int one = 0;

		rc = kube_find(c->cluster.k, &a, kinds[i], namespace, name, &o, e);
		if (!rc && o && !kube_is_own(o, slice_of(name)))
			rc = err_set(e, ERR_REJECTED, "the %s '%s' is not of a DevPod", kinds[i], name);
		else if (!rc && o)
			rc = kube_remove(c->cluster.k, kinds[i], namespace, name, tree_text(o, "metadata.uid"), &one, e);
		*was |= one;
		/* Its rules hold until it is gone. */
		if (!rc && one && !i)
			rc = cluster_wait_gone(&c->cluster, "Pod", name, c->cluster.seconds, e);
		arena_release(&a);
	}
	return rc;
}

static int delete_one(struct cluster_command *c, const char *name, struct err *e)
{
	int was = 0, rc = 0;

	if (c->cluster.has_devpods)
		rc = kube_remove(c->cluster.k, "DevPod", kube_namespace(c->cluster.k), name, SLICE(""), &was, e);
	if (!rc && was && !c->no_wait)
		rc = cluster_wait_gone(&c->cluster, "DevPod", name, c->cluster.seconds, e);
	else if (!rc && !was)
		rc = delete_objects(c, name, &was, e);
	if (!rc && !was)
		rc = err_set(e, ERR_NOTFOUND, "there is no DevPod '%s' in the namespace '%s'", name, kube_namespace(c->cluster.k));
	return rc;
}

int devpod_delete_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_WORKSPACE, 0, "workspace", NULL, "Also the volume of its workspace, where no controller cares for it." },
		{ O_NO_WAIT, 0, "no-wait", NULL, "Do not wait until it has gone." },
		OPTION_TIMEOUT,
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "The cluster", cluster_option_table },
						      { "Help", command_help_options }, { 0 } };
	static const struct program program = {
		"gx devpod delete", "delete a DevPod", "gx devpod delete [options] NAME...",
		"Waits until its pod has gone. Of a DevPod that a controller cares for the workspace goes too.", groups
	};
	struct cluster_command c = { .direct = 0 };
	struct err e = ERR_INIT;
	int rc = read_words(&c, &program, argc, argv, 1, 0);

	if (rc != COMMAND_GO)
		return rc;
	rc = cluster_open(&c.cluster, NULL, &e);
	for (size_t i = 0; i < c.f.c.n && !rc; i++)
		rc = delete_one(&c, c.f.c.operands[i], &e);
	return end(&c, rc, &e);
}
