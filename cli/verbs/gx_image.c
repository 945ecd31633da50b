/* SPDX-License-Identifier: MIT
 *
 * gx image: what flakes describe as images, or the closure of any package or shell, as images for containers.
 *
 * What is named is built first.  What it then takes to know an image's digest is remembered (image/layer.h), so an image that has
 * not changed costs no look into the store.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/programs.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/runner.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "cli/verbs/gx_image.h"
#include "image/attach.h"
#include "image/image.h"
#include "image/layout.h"
#include "image/load.h"
#include "image/pull.h"
#include "image/push.h"
#include "image/shell.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { O_TO = BUILD_OPTION_LAST, O_FORM, O_COMPRESSION, O_PLAIN_HTTP, O_SBOM, O_PROVENANCE };

struct image_command {
	struct runner r; /* first: options get it */
	struct image_request q;
	const char *to;
	struct image image;
	struct cache *cache;
	struct puller puller;
	int sbom; /* enum about_kind; negative: none */
	int provenance;
	size_t made;
};

#define OPTIONS_OF_IMAGES                                                                                                          \
	{ O_FORM, 0, "form", "FORM",                                                                                               \
	  "runnable: the objects are in /nix/store. tools: they are at the root, to be mounted at "                                \
	  "/nix/store of a container." },                                                                                          \
	{ O_COMPRESSION, 0, "compression", "NAME", "zstd, or gzip for what cannot read that." },                                   \
	{                                                                                                                          \
		O_PLAIN_HTTP, 0, "plain-http", NULL,                                                                               \
		"Speak to registries without TLS. Those of this machine are spoken to so in any case."                             \
	}

static int take_form(struct image_command *c, const char *value)
{
	if (strcmp(value, "runnable") && strcmp(value, "tools"))
		return usage_error(c->r.c.program, "--form is runnable or tools, not '%s'", value);
	c->q.form = !strcmp(value, "tools") ? FORM_TOOLS : FORM_RUNNABLE;
	return 0;
}

static int take_compression(struct image_command *c, const char *value)
{
	if (strcmp(value, "zstd") && strcmp(value, "gzip"))
		return usage_error(c->r.c.program, "--compression is zstd or gzip, not '%s'", value);
	c->q.compression = !strcmp(value, "zstd") ? COMPRESS_ZSTD : COMPRESS_GZIP;
	return 0;
}

static int take_sbom(struct image_command *c, const char *value)
{
	if (strcmp(value, "spdx") && strcmp(value, "cyclonedx"))
		return usage_error(c->r.c.program, "--sbom is spdx or cyclonedx, not '%s'", value);
	c->sbom = !strcmp(value, "spdx") ? ABOUT_SPDX : ABOUT_CYCLONEDX;
	return 0;
}

static int on_option(struct runner *r, int id, char **values)
{
	struct image_command *c = (struct image_command *)r;

	switch (id) {
	case O_TO: c->to = values[0]; return 0;
	case O_FORM: return take_form(c, values[0]);
	case O_COMPRESSION: return take_compression(c, values[0]);
	case O_PLAIN_HTTP: c->puller.plain_http = 1; return 0;
	case O_SBOM: return take_sbom(c, values[0]);
	case O_PROVENANCE: c->provenance = 1; return 0;
	}
	return 0;
}

/* What follows the word, NULL when the text begins with another. */
static const char *behind(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strncmp(text, word, n) ? NULL : text + n;
}

/* --- what is named --- */

/* The program that a package is for, where it is there. */
static void set_entrypoint(struct image_command *c, struct image_spec *s, const struct store_path *p)
{
	const struct installable *i = &c->r.wanted[0];
	struct buf real = BUF_INIT, path = BUF_INIT;
	struct jnode *list = json_node(&s->a, JSON_ARRAY), *env = json_node(&s->a, JSON_ARRAY), *last = NULL;

	store_add_real_path(c->r.c.store, &real, p);
	buf_addf(&real, "/bin/%s", i->main ? i->main : "");
	store_add_path(c->r.c.store, &path, p);
	buf_addf(&path, "/bin/%s", i->main ? i->main : "");
	if (i->main && !access(real.p, X_OK)) {
		json_append(list, &last, json_string(&s->a, (struct slice){ path.p, path.len }));
		json_set(s->config, SLICE("Entrypoint"), list);
		buf_trim(&real, 0);
		buf_addf(&real, "PATH=%.*s", (int)(strrchr(path.p, '/') - path.p), path.p);
		last = NULL;
		json_append(env, &last, json_string(&s->a, (struct slice){ real.p, real.len }));
		json_set(s->config, SLICE("Env"), env);
	}
	buf_release(&real);
	buf_release(&path);
}

/* What mkShell made is one file: its variables are the image's. */
static int set_shell(struct image_command *c, struct image_spec *s, const struct store_path *p)
{
	struct buf real = BUF_INIT, text = BUF_INIT;
	struct stat st;
	int found = 0;

	store_add_real_path(c->r.c.store, &real, p);
	if (!lstat(real.p, &st) && S_ISREG(st.st_mode) && st.st_size < LIMIT_SPEC &&
	    !store_read(c->r.c.store, p, LIMIT_SPEC, &text, NULL))
		found = image_shell(s, (struct slice){ buf_str(&text), text.len });
	buf_release(&real);
	buf_release(&text);
	return found;
}

/* The closure of packages is an image as well. */
static int plan_packages(struct image_command *c, struct err *e)
{
	const struct installable *i = &c->r.wanted[0];
	struct path_set paths = PATH_SET_INIT;
	struct image_spec spec;
	int rc;

	image_spec_init(&spec);
	if (i->path.len)
		path_set_add(&paths, &i->path);
	for (size_t k = 0; k < c->r.built.n; k++)
		path_set_add(&paths, &c->r.built.v[k].path);
	if (paths.n == 1 && !set_shell(c, &spec, &paths.v[0]))
		set_entrypoint(c, &spec, &paths.v[0]);
	if (i->main)
		spec.name = (struct slice){ arena_dup(&spec.a, i->main, strlen(i->main)), strlen(i->main) };
	rc = image_plan_objects(&c->image, &c->q, &spec, &paths, e);
	path_set_release(&paths);
	return rc;
}

static int plan(struct image_command *c, struct err *e)
{
	const struct installable *i = &c->r.wanted[0];
	const struct store_path *p = i->path.len ? &i->path : c->r.built.n == 1 ? &c->r.built.v[0].path : NULL;

	c->q.store = c->r.c.store;
	c->q.flake = slice_of(i->flake ? i->flake : "");
	c->q.revision = slice_of(i->revision ? i->revision : "");
	/* What docker loads is not compressed. */
	if (c->to && (behind(c->to, "docker-archive:") || behind(c->to, "docker-daemon:")))
		c->q.compression = COMPRESS_NONE;
	if (!cache_open(&c->cache, NULL, NULL))
		c->q.cache = c->puller.cache = c->cache;
	c->q.base = pull_base;
	c->q.fetch = pull_layer;
	c->q.user = &c->puller;
	return p && image_is_description(p) ? image_plan(&c->image, &c->q, p, e) : plan_packages(c, e);
}

/* Reads the words, evaluates, builds and plans; then `act` does what the verb is for. */
static int run(struct image_command *c, const struct program *p, int argc, char **argv,
	       int (*act)(struct image_command *c, struct buf *out, struct err *e))
{
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;
	int rc;

	c->r.option = on_option;
	c->r.eval.origin = ORIGIN_FOR_ALL;
	c->q.form = c->q.compression = c->sbom = -1;
	rc = runner_read(&c->r, p, argc, argv, 1, "one flake");
	if (rc == COMMAND_GO && (rc = runner_eval(&c->r, FLAKE_WANT_PACKAGE)) == COMMAND_GO &&
	    (rc = runner_build(&c->r, &c->r.wanted[0].targets)) == COMMAND_GO) {
		rc = plan(c, &e);
		rc = rc ? rc : act(c, &out, &e);
		progress_finish();
		rc = rc ? command_fail(&e) : out.len ? command_print(&out) : EXIT_DONE;
	}
	image_release(&c->image);
	puller_release(&c->puller);
	cache_free(c->cache);
	buf_release(&out);
	return runner_end(&c->r, rc);
}

/* --- what is printed --- */

static void add_digest(struct buf *out, const struct image *i)
{
	hash_add(out, &i->digest, HASH_BASE16, 1);
}

static void add_layer_json(struct image_command *c, struct buf *b, const struct layer *l)
{
	buf_addf(b, "{\"digest\":\"");
	hash_add(b, &l->digest, HASH_BASE16, 1);
	buf_adds(b, "\",\"diffId\":\"");
	hash_add(b, &l->diff_id, HASH_BASE16, 1);
	buf_addf(b, "\",\"size\":%llu,\"mediaType\":\"%s\"", (unsigned long long)l->size, layer_media_type(l));
	if (l->parts)
		buf_addf(b, ",\"part\":%u", l->part);
	buf_addf(b, ",\"%s\":[", l->kind == LAYER_ROOT ? "root" : "paths");
	for (size_t k = 0; k < l->n; k++) {
		buf_adds(b, k ? ",\"" : "\"");
		store_add_path(c->r.c.store, b, &l->paths[k].path);
		buf_addc(b, '"');
	}
	buf_adds(b, "]}");
}

static void add_json(struct image_command *c, struct buf *b, const struct image *i)
{
	buf_adds(b, "{\"digest\":\"");
	add_digest(b, i);
	buf_addf(b, "\",\"mediaType\":\"%s\",\"name\":", image_media_type(i));
	json_add_string(b, i->spec.name.p, i->spec.name.n);
	if (i->spec.tag.n) {
		buf_adds(b, ",\"tag\":");
		json_add_string(b, i->spec.tag.p, i->spec.tag.n);
	}
	buf_addf(b, ",\"manifest\":%s", i->manifest.p);
	if (!i->nparts)
		buf_addf(b, ",\"config\":%s", i->config.p);
	buf_addf(b, ",\"%s\":[", i->nparts ? "images" : "layers");
	for (size_t k = 0; k < i->n; k++) {
		buf_adds(b, k ? "," : "");
		add_layer_json(c, b, &i->layers[k]);
	}
	for (size_t k = 0; k < i->nparts; k++) {
		buf_adds(b, k ? "," : "");
		add_json(c, b, i->parts[k]);
	}
	buf_adds(b, "]}");
}

static void add_result(struct image_command *c, struct buf *out)
{
	if (c->r.c.json)
		add_json(c, out, &c->image);
	else
		add_digest(out, &c->image);
	buf_addc(out, '\n');
}

/* --- digest and inspect --- */

static int known(struct image_command *c, struct err *e)
{
	int rc = image_make(&c->image, &c->q, -1, MAKE_UNKNOWN, &c->made, e);

	return rc ? rc : image_finish(&c->image, &c->q, e);
}

static int act_digest(struct image_command *c, struct buf *out, struct err *e)
{
	int rc = known(c, e);

	if (!rc)
		add_result(c, out);
	return rc;
}

static int act_inspect(struct image_command *c, struct buf *out, struct err *e)
{
	int rc = known(c, e);

	if (!rc && (c->sbom >= 0 || c->provenance)) {
		rc = about_image(&c->image, &c->q, c->provenance ? ABOUT_PROVENANCE : (enum about_kind)c->sbom, out, e);
		buf_addc(out, '\n');
	} else if (!rc) {
		add_result(c, out);
	}
	return rc;
}

/* What is said of it beside it, as options ask. */
static int attach(struct image_command *c, struct layout *l, struct registry *r, struct err *e)
{
	const int kinds[] = { c->sbom, c->provenance ? ABOUT_PROVENANCE : -1 };
	int rc = 0;

	for (unsigned k = 0; !rc && k < 2; k++) {
		struct attachment t = { .kind = ABOUT_SPDX };

		if (kinds[k] < 0)
			continue;
		rc = attachment_make(&t, &c->image, &c->q, (enum about_kind)kinds[k], e);
		rc = rc ? rc : l ? attach_folder(l, &t, e) : attach_remote(r, &c->image, &t, e);
		attachment_release(&t);
	}
	return rc;
}

/* --- names --- */

static void add_own_name(struct buf *b, const struct image_spec *s)
{
	struct slice tag = s->tag.n ? s->tag : SLICE("latest");

	buf_addf(b, "%.*s:%.*s", (int)s->name.n, s->name.p, (int)tag.n, tag.p);
}

/* --- build --- */

/* How it is called where it goes: what the address says behind its last colon, or what it calls itself. */
struct target {
	char *path; /* without scheme and name */
	char *name; /* malloc'd; NULL without */
};

static void target_release(struct target *t)
{
	free(t->path);
	free(t->name);
}

static void set_name(struct target *t, const char *name, const struct image_spec *s)
{
	struct buf b = BUF_INIT;

	if (*name)
		buf_adds(&b, name);
	else if (s->name.n)
		add_own_name(&b, s);
	t->name = b.len ? buf_detach(&b, NULL) : NULL;
}

static void read_target(const char *rest, const struct image_spec *s, struct target *t)
{
	size_t n = strcspn(rest, ":");

	t->path = xstrndup(rest, n);
	set_name(t, rest + n + (rest[n] == ':'), s);
}

static int to_folder(struct image_command *c, const struct target *t, struct err *e)
{
	struct layout l;
	int rc = layout_open(&l, t->path, e);

	rc = rc ? rc : layout_image(&l, &c->image, &c->q, &c->made, e);
	rc = rc ? rc : layout_name(&l, &c->image, t->name, e);
	rc = rc ? rc : attach(c, &l, NULL, e);
	layout_close(&l);
	return rc;
}

static int to_file(struct image_command *c, const struct target *t, int docker, struct err *e)
{
	struct layout l;
	int rc = layout_temporary(&l, e);

	rc = rc ? rc : layout_image(&l, &c->image, &c->q, &c->made, e);
	if (docker)
		rc = rc ? rc : layout_docker(&l, &c->image, t->name, t->path, e);
	else
		rc = rc ? rc : layout_name(&l, &c->image, t->name, e);
	rc = rc || docker ? rc : attach(c, &l, NULL, e);
	rc = rc || docker ? rc : layout_archive(&l, t->path, e);
	layout_remove(&l);
	return rc;
}

static int act_build(struct image_command *c, struct buf *out, struct err *e)
{
	const char *to = c->to ? c->to : "oci:image", *folder = behind(to, "oci:"), *file = behind(to, "oci-archive:"),
		   *docker = behind(to, "docker-archive:"), *rest = folder ? folder : file ? file : docker;
	struct target t = { NULL, NULL };
	int rc;

	if (!rest || !*rest || *rest == ':')
		return err_set(e, ERR_INVALID,
			       "'%s' is no place for an image: it is oci:FOLDER, oci-archive:FILE or docker-archive:FILE", to);
	read_target(rest, &c->image.spec, &t);
	rc = folder ? to_folder(c, &t, e) : to_file(c, &t, docker != NULL, e);
	if (!rc)
		add_result(c, out);
	target_release(&t);
	return rc;
}

/* --- load --- */

/* What dev containers and people take first. */
static const char *engine_here(void)
{
	struct buf path = BUF_INIT;
	int docker = program_in_path("docker", &path);

	buf_release(&path);
	return docker ? "docker-daemon:" : "containers-storage:";
}

static int act_load(struct image_command *c, struct buf *out, struct err *e)
{
	const char *to = c->to, *podman = behind(to, "containers-storage:"),
		   *docker = behind(to, "docker-daemon:"), *dir = getenv("TMPDIR");
	struct buf file = BUF_INIT;
	struct target t = { NULL, NULL };
	int fd, rc;

	if (!podman && !docker)
		return err_set(e, ERR_INVALID,
			       "'%s' is no place to load into: it is containers-storage:[NAME] or docker-daemon:[NAME]", to);
	buf_addf(&file, "%s/gx-image-XXXXXX", dir && *dir ? dir : "/tmp");
	t.path = buf_detach(&file, NULL);
	set_name(&t, podman ? podman : docker, &c->image.spec);
	fd = mkstemp(t.path);
	if (fd < 0) {
		rc = err_errno(e, "cannot make the file '%s'", t.path);
	} else {
		close(fd);
		rc = to_file(c, &t, docker != NULL, e);
		rc = rc ? rc : image_load(podman ? "podman" : "docker", t.path, e);
		unlink(t.path);
	}
	if (!rc)
		add_result(c, out);
	target_release(&t);
	return rc;
}

/* --- push --- */

/* Where it goes: what --to says, or what it calls itself. */
static int find_reference(struct image_command *c, struct reference *ref, struct err *e)
{
	const struct image_spec *s = &c->image.spec;
	const char *to = c->to ? behind(c->to, "docker://") : NULL;
	struct buf text = BUF_INIT;
	int rc;

	to = to ? to : c->to;
	if (to)
		buf_adds(&text, to);
	else if (s->name.n && memchr(s->name.p, '/', s->name.n))
		add_own_name(&text, s);
	rc = text.len ? reference_parse(ref, (struct slice){ text.p, text.len }, e)
		      : err_set(e, ERR_INVALID, "the image is called '%.*s', which names no registry: --to says where it goes",
				(int)s->name.n, s->name.n ? s->name.p : "");
	if (!rc && ref->has_digest)
		rc = err_set(e, ERR_INVALID, "an image is pushed to a name, not to a digest");
	buf_release(&text);
	return rc;
}

static void say_pushed(const struct push_result *p)
{
	struct buf b = BUF_INIT;

	if (progress_settings.quiet)
		return;
	buf_add_size(&b, p->bytes);
	if (p->unchanged)
		report_line("it is there already");
	else
		report_line("%zu sent (%s), %zu taken over, %zu there already", p->sent, b.p, p->mounted, p->there);
	buf_release(&b);
}

static int act_push(struct image_command *c, struct buf *out, struct err *e)
{
	struct reference ref = { .host = NULL };
	struct registry r = { .push = 0 };
	struct push_result result;
	struct layout tmp = { NULL, -1, -1 };
	int rc = find_reference(c, &ref, e);

	rc = rc ? rc : registry_open(&r, &ref, 1, c->puller.plain_http, e);
	rc = rc ? rc : layout_temporary(&tmp, e);
	rc = rc ? rc : image_push(&r, &c->image, &c->q, &tmp, &result, e);
	rc = rc ? rc : attach(c, NULL, &r, e);
	if (!rc) {
		say_pushed(&result);
		add_result(c, out);
	}
	layout_remove(&tmp);
	registry_release(&r);
	reference_release(&ref);
	return rc;
}

/* --- the verbs --- */

#define OPTIONS_ABOUT                                                                                                      \
	{ O_SBOM, 0, "sbom", "FORMAT", "Put a list of what is in it beside it: spdx or cyclonedx." },                      \
	{ O_PROVENANCE, 0, "provenance", NULL, "And where it is from." }

#define GROUPS(options)                                                                                             \
	static const struct option_group groups[] = { { "Options", options },                                      \
						      { "What to evaluate", value_option_table },                  \
						      { "Flakes", flake_option_table },                            \
						      { "Building", build_option_table },                          \
						      { "The store", command_store_options },                      \
						      { 0 } }

static int image_build_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_TO, 'o', "to", "PLACE",
		  "Where to: oci:FOLDER[:NAME] (oci:image), oci-archive:FILE[:NAME] or docker-archive:FILE[:NAME]." },
		OPTIONS_OF_IMAGES,
		OPTIONS_ABOUT,
		OPTION_JSON,
		{ 0 }
	};
	GROUPS(options);
	static const struct program program = {
		"gx image build", "make an image, as a folder or a file", "gx image build [options] [FLAKE[#ATTR]]",
		"The attribute is an image of buildImage, or any package or shell. Its digest is printed.", groups
	};
	struct image_command c = { .to = NULL };

	return run(&c, &program, argc, argv, act_build);
}

static int image_digest_run(int argc, char **argv)
{
	static const struct option options[] = { OPTIONS_OF_IMAGES, { 0 } };
	GROUPS(options);
	static const struct program program = { "gx image digest", "print the digest of an image",
						"gx image digest [options] [FLAKE[#ATTR] | PLACE]",
						"Nothing is written but what is remembered: layers that were made before are not "
						"even read. PLACE is an image of others: "
						"see gx image inspect.",
						groups };
	struct image_command c = { .to = NULL };

	if (image_names_place(argc, argv))
		return image_look_run(&program, argc, argv, 0);

	return run(&c, &program, argc, argv, act_digest);
}

static int image_push_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_TO, 't', "to", "REFERENCE", "Where to: REGISTRY/REPOSITORY[:TAG]. Without, what the image calls itself." },
		OPTIONS_OF_IMAGES, OPTIONS_ABOUT, OPTION_JSON, { 0 }
	};
	GROUPS(options);
	static const struct program program = {
		"gx image push", "send an image to a registry", "gx image push [options] [FLAKE[#ATTR]]",
		"Layers that the registry has are not sent, and not made if they were made before. Who you are is what 'docker "
		"login' or\n"
		"'podman login' left, or what their credential helpers say. The digest is printed.\n",
		groups
	};
	struct image_command c = { .to = NULL };

	return run(&c, &program, argc, argv, act_push);
}

static int image_load_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_TO, 't', "to", "PLACE",
		  "Where to: docker-daemon:[NAME], by docker, or containers-storage:[NAME], by podman. Without: what is installed, "
		  "docker first." },
		OPTIONS_OF_IMAGES,
		OPTION_JSON,
		{ 0 }
	};
	GROUPS(options);
	static const struct program program = {
		"gx image load", "give an image to podman or docker", "gx image load [options] [FLAKE#ATTR]",
		"It is called what it calls itself, unless NAME says otherwise. The program has to be installed.", groups
	};
	struct image_command c = { .to = engine_here() };

	return run(&c, &program, argc, argv, act_load);
}

static int image_inspect_run(int argc, char **argv)
{
	static const struct option options[] = {
		OPTIONS_OF_IMAGES,
		{ O_SBOM, 0, "sbom", "FORMAT", "Print what is in it, objects and Go modules, as spdx or cyclonedx." },
		{ O_PROVENANCE, 0, "provenance", NULL, "Print where it is from (in-toto)." },
		{ 0 }
	};
	GROUPS(options);
	static const struct program program = { "gx image inspect", "print what an image is made of, as JSON",
						"gx image inspect [options] [FLAKE[#ATTR] | PLACE]",
						"Manifest, configuration, and which objects are in which layer. PLACE is an image "
						"of others: docker://REFERENCE in a "
						"registry, oci:FOLDER[:NAME], oci-archive:FILE[:NAME] or docker-archive:FILE.",
						groups };
	struct image_command c = { .r.c.json = 1 };

	if (image_names_place(argc, argv))
		return image_look_run(&program, argc, argv, 1);

	return run(&c, &program, argc, argv, act_inspect);
}

const struct verb image_verbs[] = {
	{ "build", "make an image, as a folder or a file", image_build_run, NULL },
	{ "digest", "print the digest of an image", image_digest_run, NULL },
	{ "push", "send an image to a registry", image_push_run, NULL },
	{ "load", "give an image to podman or docker", image_load_run, NULL },
	{ "inspect", "print what an image is made of, as JSON", image_inspect_run, NULL },
	{ 0 }
};
