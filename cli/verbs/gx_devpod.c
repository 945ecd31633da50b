/* SPDX-License-Identifier: MIT
 *
 * gx devpod: what stdlib/devpod/ makes of a DevPod, and what a cluster needs for them, as JSON that kubectl applies.
 *
 * A DevPod is what a flake has at an attribute, or what a file says as JSON or YAML (as `kubectl get devpod NAME -o yaml` prints
 * it).
 */
#include "config.h"
#include "base/fdio.h"
#include "builtins/json.h"
#include "cli/flake_cmd.h"
#include "cli/given.h"
#include "cli/verb.h"
#include "cli/verbs/gx_devpod.h"
#include "eval/attrs.h"
#include "eval/context.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "kube/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { O_NAMESPACE = 1, O_IMAGE, LIMIT_DEVPOD = 1 << 20 };

struct devpod_command {
	struct flake_cmd f; /* first: the evaluation gets it */
	const char *namespace, *image;
};

W devpod_library(const char *function)
{
	struct buf text = BUF_GC;

	buf_addf(&text, "(builtins.getFlake \"gx:std\").lib.devpod.%s", function);
	return given_word(text.p, "«gx:std»");
}

void devpod_print(struct buf *out, W value)
{
	struct buf text = BUF_GC;
	struct ctx_acc ctx = { 0 };

	value_to_json(&text, value, TO_JSON_FORCE, &ctx);
	buf_add(out, text.p, text.len);
	buf_addc(out, '\n');
}

/* --- render --- */

/* Reads a file, as JSON if it begins so, else as YAML. */
static int read_file(const char *name, struct buf *out, struct err *e)
{
	int fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : dup(0), rc = 0;
	struct buf text = BUF_INIT;
	struct slice s;

	if (fd < 0 || fd_read_all(fd, &text))
		rc = err_errno(e, "cannot read '%s'", name);
	else if (text.len > LIMIT_DEVPOD)
		rc = err_set(e, ERR_LIMIT, "'%s' is too large for a DevPod", name);
	s = (struct slice){ buf_str(&text), text.len };
	if (!rc && slice_trim(s).n && *slice_trim(s).p != '{') {
		rc = yaml_to_json(s, YAML_TYPED, out, e);
		if (rc)
			err_prefix(e, "%s", strcmp(name, "-") ? name : "standard input");
	} else if (!rc) {
		buf_add(out, s.p, s.n);
	}
	if (fd >= 0)
		close(fd);
	buf_release(&text);
	return rc;
}

static W from_file(const char *name)
{
	struct buf text = BUF_INIT, copy = BUF_GC;
	struct err e = ERR_INIT;
	int rc = read_file(name, &text, &e);

	/* What the evaluator throws leaves nothing behind. */
	buf_add(&copy, buf_str(&text), text.len);
	buf_release(&text);
	if (rc)
		throw_err(&e);
	return value_from_json(buf_str(&copy), copy.len);
}

static W from_flake(struct flake_cmd *f, const char *ref)
{
	struct attr_place at = { "", 0 };
	const char *fragment;
	struct locked_flake *lf = flake_options_open(&f->eval.flake_options, ref, &fragment);

	return flake_select(flake_root_outputs(lf), fragment, FLAKE_WANT_PACKAGE, ref, &at);
}

W devpod_value(struct flake_cmd *f)
{
	const char *ref = flake_cmd_ref(f);

	return flake_options_is_flake(ref) ? from_flake(f, ref) : from_file(ref);
}

static void render(struct flake_cmd *f, struct buf *out)
{
	devpod_print(out, call1(devpod_library("render"), devpod_value(f)));
}

static int devpod_render_run(int argc, char **argv)
{
	static const struct option_group groups[] = { FLAKE_CMD_GROUPS, { "The store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx devpod render", "print the objects that a DevPod becomes", "gx devpod render [options] FLAKE#ATTR | FILE | -",
		"JSON for kubectl apply -f -. The DevPod is a value of a flake, with metadata and spec, or is JSON or YAML itself.",
		groups
	};
	struct devpod_command c = { .f = { .all_systems = 0 } };
	int rc = flake_cmd_read(&c.f, &program, argc, argv, 1, "a DevPod");

	return rc == COMMAND_GO ? flake_cmd_run(&c.f, render) : rc;
}

/* --- manifests --- */

static int on_option(void *arg, int id, char **values)
{
	struct devpod_command *c = arg;

	switch (id) {
	case O_NAMESPACE: c->namespace = values[0]; return 0;
	case O_IMAGE: c->image = values[0]; return 0;
	}
	return flake_cmd_option(&c->f, id, values);
}

static void manifests(struct flake_cmd *f, struct buf *out)
{
	const struct devpod_command *c = (const struct devpod_command *)f;
	struct attrs_builder b;

	attrs_builder_init(&b, 2);
	attrs_add_c(&b, "namespace", w_cstr(c->namespace));
	attrs_add_c(&b, "image", w_cstr(c->image));
	devpod_print(out, call1(devpod_library("manifests"), attrs_finish(&b)));
}

static int devpod_manifests_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_NAMESPACE, 'n', "namespace", "NAME", "Where the controller runs (gx-system)." },
		{ O_IMAGE, 0, "image", "REFERENCE", "The controller's image, by its digest: REPOSITORY@sha256:…" },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = {
		"gx devpod manifests", "print what a cluster needs for DevPods", "gx devpod manifests [options] --image REFERENCE",
		"The custom resource, accounts and roles, and the controller, as JSON for kubectl apply -f -.", groups
	};
	struct devpod_command c = { .namespace = "gx-system" };

	c.f.c = (struct command){ .program = &program, .option = on_option, .arg = &c };
	int rc = command_read(&c.f.c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	if (c.f.c.n)
		return command_end(&c.f.c, usage_error(&program, "'gx devpod manifests' takes no operand"));
	if (!c.image)
		return command_end(&c.f.c, usage_error(&program, "--image says what the controller is"));
	return flake_cmd_run(&c.f, manifests);
}

const struct verb devpod_verbs[] = {
	{ "apply", "make a DevPod in a cluster", devpod_apply_run, NULL },
	{ "shell", "a shell in a DevPod", devpod_shell_run, NULL },
	{ "status", "what DevPods are up to", devpod_status_run, NULL },
	{ "delete", "delete a DevPod", devpod_delete_run, NULL },
	{ "render", "print the objects that a DevPod becomes", devpod_render_run, NULL },
	{ "controller", "make pods of the DevPods in a cluster", devpod_controller_run, NULL },
	{ "manifests", "print what a cluster needs for DevPods", devpod_manifests_run, NULL },
	{ 0 }
};
