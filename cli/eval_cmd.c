/* SPDX-License-Identifier: MIT
 *
 * A run of gxeval: start the evaluator, find the value, pick its attributes, print.  Everything that can
 * throw happens inside one unwind_run; what is printed is collected on the way and written after it.
 */
#include "config.h"
#include "cli/eval_cmd.h"
#include "base/mem.h"
#include "base/pathname.h"
#include "base/source.h"
#include "builtins/fs.h"
#include "builtins/registry.h"
#include "cli/dump.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/stats.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "lang/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct run {
	const struct eval_request *r;
	char cwd[PATH_MAX];
	struct buf out;
};

/* --- texts --- */

/* The whole of a descriptor, NUL-terminated, for the life of the process.  Throws. */
static char *read_all(int fd, const char *name, size_t *len)
{
	struct buf b = BUF_INIT;

	for (;;) {
		buf_reserve(&b, 65536);
		ssize_t n = read(fd, b.p + b.len, b.cap - b.len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int en = errno;
			buf_release(&b);
			throw_error(EK_IO, "cannot read '%s': %s", name, strerror(en));
		}
		if (n == 0)
			break;
		b.len += (size_t)n;
	}
	b.p[b.len] = 0;
	return buf_detach(&b, len);
}

/* A path as typed, made absolute and normalised by its text alone. */
static const char *absolute(struct run *k, const char *path)
{
	struct buf b = BUF_GC;

	if (path[0] != '/')
		buf_adds(&b, k->cwd);
	buf_addc(&b, '/');
	buf_adds(&b, path);
	char *out = mem_bytes(b.len + 2);
	path_normalise(b.p, b.len, out);
	return out;
}

/* The text of what is to be parsed, as a source. */
static const struct source *open_source(struct run *k)
{
	const struct eval_request *r = k->r;
	const struct source *s;

	if (r->expr) {
		s = source_add("«string»", NULL, k->cwd, r->expr, strlen(r->expr));
	} else {
		size_t len;
		int is_stdin = !strcmp(r->file, "-");
		int fd = is_stdin ? 0 : open(r->file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			throw_error(EK_IO, "cannot open file '%s': %s", r->file, strerror(errno));
		char *text = read_all(fd, is_stdin ? "standard input" : r->file, &len);
		if (!is_stdin)
			close(fd);
		const char *path = is_stdin ? NULL : absolute(k, r->file);
		const char *dir = k->cwd;
		if (path) {
			struct buf d = BUF_GC;
			buf_add(&d, path, path_dir_len(path, strlen(path)));
			dir = d.p;
		}
		s = source_add(is_stdin ? "«stdin»" : path, path, dir, text, len);
	}
	if (!s)
		throw_error(EK_EVAL, "the program text is larger than 4 GiB");
	return s;
}

static void parse_and_print(struct run *k)
{
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct expr *x = parse_source(open_source(k), &eval_settings.parse, &mem, &e);

	if (!x)
		throw_err(&e);
	print_ast(&b, x);
	buf_add(&k->out, b.p, b.len);
	buf_addc(&k->out, '\n');
	buf_release(&b);
}

/* --- values --- */

static W parse_arg(W text, W dir)
{
	return eval_text(w_get_str(text)->b, w_get_str(text)->len, "«argument»", w_get_str(dir)->b);
}

static W eval_arg(struct run *k, const struct auto_arg *a)
{
	if (a->is_string)
		return w_cstr(a->text);
	return lazy_native(parse_arg, w_cstr(a->text), w_cstr(k->cwd));
}

static W make_args(struct run *k)
{
	struct attrs_builder b;

	attrs_builder_init(&b, k->r->n_args);
	for (size_t i = 0; i < k->r->n_args; i++)
		attrs_add_c(&b, k->r->args[i].name, eval_arg(k, &k->r->args[i]));
	return attrs_finish_keep_last(&b);
}

static W load_file(struct run *k)
{
	const char *file = k->r->file;
	struct stat st;
	W path;

	if (file[0] == '<' && file[strlen(file) - 1] == '>') {
		path = eval_text(file, strlen(file), "«command line»", k->cwd);
	} else {
		if (stat(file, &st) < 0)
			throw_error(EK_IO, "cannot open file '%s': %s", file, strerror(errno));
		const char *p = absolute(k, file);
		path = w_path(p, strlen(p));
	}
	return call1(eval_builtin("import"), path);
}

static W load(struct run *k)
{
	if (k->r->expr || !strcmp(k->r->file, "-"))
		return eval_source(open_source(k), W_NULL);
	return load_file(k);
}

static void print_one(struct run *k, W v, W args)
{
	v = eval_auto_call(v, args);
	if (k->r->apply)
		v = call1(eval_text(k->r->apply, strlen(k->r->apply), "«apply»", k->cwd), v);
	output_value(&k->out, v, k->r->form, args);
}

static void run(void *arg)
{
	struct run *k = arg;
	const struct eval_request *r = k->r;

	if (r->dump_builtins) {
		dump_builtins(&k->out, builtin_lists);
		return;
	}
	if (r->parse_only) {
		parse_and_print(k);
		return;
	}
	W args = make_args(k);
	W root = load(k);
	if (!r->n_attrs)
		print_one(k, root, args);
	for (size_t i = 0; i < r->n_attrs; i++)
		print_one(k, eval_attr_path(root, r->attrs[i], args), args);
}

/* --- the world --- */

static void warn(void *arg, uint32_t pos, uint32_t len, const char *msg)
{
	(void)arg;
	report_warning(pos, len, msg);
}

int eval_cmd_run(const struct eval_request *r, char *stack_low)
{
	struct run k = { .r = r, .out = BUF_GC };
	struct failure f;

	if (!getcwd(k.cwd, sizeof k.cwd)) {
		report_error("cannot tell the current directory: %s", strerror(errno));
		return EXIT_FAILED;
	}
	eval_settings.parse.warn = warn;
	eval_settings.parse.pure = eval_settings.pure;
	world_start(r, stack_low);
	int ok = unwind_run(run, &k, &f, 1);
	/* What was printed before the error of a later --attr is a result all the same. */
	int status = k.out.len ? output_write(k.out.p, k.out.len) : EXIT_DONE;
	if (!ok) {
		report_failure(&f);
		status = f.kind == EK_INTERRUPT ? EXIT_INTERRUPTED : EXIT_FAILED;
	}
	if (r->stats)
		stats_print();
	return status;
}
