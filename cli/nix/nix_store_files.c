/* SPDX-License-Identifier: MIT
 *
 * Rows as text, of --dump-db and --load-db:
 *
 *     path, [hash in base16, size of the archive,] deriver or "", number of references, that many references; a line each
 */
#include "config.h"
#include "cli/nix/nix_store_files.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "cli/command.h"
#include "cli/dev_env.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/view.h"
#include "format/attrs_sh.h"
#include "format/nar.h"
#include "store/export.h"
#include "store/optimise.h"
#include "store/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int resolve_all(struct store *s, const struct files_request *r, struct path_set *out, struct err *e)
{
	struct store_path p;
	int rc = 0;

	for (size_t i = 0; !rc && i < r->n; i++)
		if (!(rc = store_resolve(s, r->operands[i], &p, NULL, e)))
			path_set_push(out, &p);
	return rc;
}

static void add_line(struct store *s, struct buf *out, const struct store_path *p)
{
	if (p->len)
		store_add_path(s, out, p);
	buf_addc(out, '\n');
}

/* --- streams --- */

int files_export(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	const struct nar_sink sink = { output_sink, NULL };
	struct path_set paths = PATH_SET_INIT;
	int rc = resolve_all(s, r, &paths, e);

	(void)out;
	rc = rc ? rc : store_export_ordered(s, &paths, &sink, e);
	path_set_release(&paths);
	return rc;
}

static long read_input(void *user, void *p, size_t n, struct err *e)
{
	ssize_t k = fd_read(0, p, n);

	(void)user;
	return k < 0 ? err_errno(e, "cannot read standard input") : k;
}

int files_import(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	const struct byte_source in = { read_input, NULL };
	struct path_set added = PATH_SET_INIT;
	int rc = store_import(s, &in, &added, e);

	(void)r;
	for (size_t i = 0; !rc && i < added.n; i++)
		rc = view_send(s, &added.v[i], e);
	for (size_t i = 0; !rc && i < added.n; i++)
		add_line(s, out, &added.v[i]);
	path_set_release(&added);
	return rc;
}

static int let_write(const char *path, const struct stat *st, int type, struct FTW *at)
{
	mode_t mask = umask(0);

	(void)at;
	umask(mask);
	/* What cannot be changed is as the archive said, which is no less right. */
	if (type != FTW_SL && chmod(path, (st->st_mode & 0111 ? 0777 : 0666) & ~mask))
		return 0;
	return 0;
}

/* What is there already stays as it is: something that fails in the middle takes away what it began with. */
static int may_restore(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat st;

	if (!*path)
		return err_set(e, ERR_INVALID, "the destination path is empty");
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return err_set(e, ERR_INVALID, "'%s' ends in '%s', which is not a valid filename", path, name);
	if (!lstat(path, &st))
		return err_set(e, ERR_INVALID, "cannot restore to '%s': File exists", path);
	return errno == ENOENT ? 0 : err_errno(e, "cannot restore to '%s'", path);
}

int files_restore(const char *path)
{
	const struct byte_source in = { read_input, NULL };
	struct object_facts facts = { 0 };
	struct err e = ERR_INIT;
	int rc = may_restore(path, &e);

	if (!rc)
		rc = object_restore(&in, AT_FDCWD, path, &facts, &e);

	object_facts_release(&facts);
	if (rc)
		return command_fail(&e);
	return nftw(path, let_write, 32, FTW_PHYS | FTW_DEPTH) < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* --- a derivation's environment --- */

int files_print_env(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	struct buf text = BUF_INIT;
	struct drv d;
	int rc = resolve_all(s, r, &paths, e);

	if (!rc && (paths.n != 1 || !store_path_is_drv(&paths.v[0])))
		rc = err_set(e, ERR_INVALID, "'--print-env' needs one derivation");
	rc = rc ? rc : dev_env_read(s, &paths.v[0], &text, &d, e);
	if (!rc) {
		for (size_t i = 0; i < d.nenv; i++) {
			buf_addf(out, "export %s; %s=", d.env[i].key.p, d.env[i].key.p);
			attrs_sh_add_quoted(out, d.env[i].value);
			buf_addc(out, '\n');
		}
		/* One text, as it is since Nix 2.32: the quotes of each argument before that ended the outer ones. */
		struct buf args = BUF_INIT;

		for (size_t i = 0; i < d.nargs; i++)
			buf_addf(&args, "%s%.*s", i ? " " : "", (int)d.args[i].n, d.args[i].p);
		buf_adds(out, "export _args; _args=");
		attrs_sh_add_quoted(out, (struct slice){ buf_str(&args), args.len });
		buf_addc(out, '\n');
		buf_release(&args);
		drv_release(&d);
	}
	buf_release(&text);
	path_set_release(&paths);
	return rc;
}

/* --- rows --- */

static int dump_row(struct store *s, const struct store_path *p, struct buf *out, struct err *e)
{
	struct path_info info = { 0 };
	int rc = db_info(store_db(s), p, &info, e);

	if (!rc) {
		add_line(s, out, p);
		hash_add(out, &info.nar_hash, HASH_BASE16, 0);
		buf_addf(out, "\n%llu\n", (unsigned long long)info.nar_size);
		add_line(s, out, &info.deriver);
		buf_addf(out, "%zu\n", info.refs.n);
		for (size_t i = 0; i < info.refs.n; i++)
			add_line(s, out, &info.refs.v[i]);
	}
	path_info_release(&info);
	return rc;
}

int files_dump_db(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	int rc = r->n ? resolve_all(s, r, &paths, e) : db_all(store_db(s), &paths, e);

	for (size_t i = 0; !rc && i < paths.n; i++)
		rc = dump_row(s, &paths.v[i], out, e);
	path_set_release(&paths);
	return rc;
}

/* The text that is read, line by line. */
struct lines {
	struct slice left;
	size_t number;
};

static struct slice next_line(struct lines *l)
{
	l->number++;
	return slice_cut(&l->left, '\n');
}

static int wrong_line(const struct lines *l, const char *wanted, struct err *e)
{
	return err_set(e, ERR_INVALID, "line %zu of standard input is not %s", l->number, wanted);
}

static int read_count(struct lines *l, const char *wanted, unsigned long long *n, struct err *e)
{
	struct slice line = next_line(l);
	char text[24] = "", *end = text;

	if (line.n && line.n < sizeof text)
		memcpy(text, line.p, line.n);
	*n = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || *end ? wrong_line(l, wanted, e) : 0;
}

/* Hash and size of an object that lies in the store already. */
static int look(struct store *s, struct path_info *info, struct err *e)
{
	return nar_hash(HASH_SHA256, store_fd(s), info->path.base, NULL, NULL, &info->nar_hash, &info->nar_size, e);
}

static int read_row(struct store *s, struct lines *l, int hash_given, struct path_info *info, struct err *e)
{
	struct slice line = next_line(l);
	unsigned long long n = 0;
	struct store_path p;
	int rc = store_path_parse(store_dir(s), line, &info->path, e);

	if (!rc && hash_given) {
		line = next_line(l);
		rc = hash_parse(line.p, line.n, HASH_SHA256, &info->nar_hash, NULL, e);
		rc = rc ? rc : read_count(l, "the size of an archive", &n, e);
		info->nar_size = n;
	}
	line = next_line(l);
	if (!rc && line.n)
		rc = store_path_parse(store_dir(s), line, &info->deriver, e);
	rc = rc ? rc : read_count(l, "a number of references", &n, e);
	for (; !rc && n; n--)
		if (!(rc = l->left.n ? store_path_parse(store_dir(s), next_line(l), &p, e) : wrong_line(l, "a reference", e)))
			path_set_add(&info->refs, &p);
	return rc || hash_given ? rc : look(s, info, e);
}

int files_register(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	struct path_info *v = NULL;
	size_t n = 0, cap = 0;
	struct buf text = BUF_INIT;
	struct lines l = { .number = 0 };
	int rc = fd_read_all(0, &text) ? err_errno(e, "cannot read standard input") : 0;

	(void)out;
	l.left = (struct slice){ buf_str(&text), text.len };
	while (!rc && l.left.n) {
		ARRAY_GROW(v, n + 1, cap);
		v[n] = (struct path_info){ 0 };
		rc = read_row(s, &l, r->hash_given, &v[n++], e);
		rc = rc ? rc : store_add_temp_root(s, &v[n - 1].path, e);
	}
	rc = rc ? rc : db_register(store_db(s), v, n, e);
	for (size_t i = 0; i < n; i++)
		path_info_release(&v[i]);
	free(v);
	buf_release(&text);
	return rc;
}

int files_check_validity(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	struct path_set paths = PATH_SET_INIT;
	int rc = resolve_all(s, r, &paths, e), missing = 0;

	for (size_t i = 0; rc >= 0 && i < paths.n; i++) {
		if ((rc = store_is_valid(s, &paths.v[i], e)))
			continue;
		if (r->print_invalid)
			add_line(s, out, &paths.v[i]);
		else
			rc = err_set(e, ERR_NOTFOUND, "path '%s/%s' is not valid", store_place(s)->store_dir, paths.v[i].base);
		missing = !r->print_invalid;
	}
	path_set_release(&paths);
	return rc < 0 ? rc : missing;
}

/* --- the rest --- */

int files_print_fixed_path(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	struct store_path p;
	enum hash_algo algo;
	struct hash h;
	int rc = r->n == 3 ? hash_algo_parse(r->operands[0], strlen(r->operands[0]), &algo, e) :
			     err_set(e, ERR_INVALID, "'--print-fixed-path' needs an algorithm, a hash and a name");

	rc = rc ? rc : hash_parse(r->operands[1], strlen(r->operands[1]), algo, &h, NULL, e);
	rc = rc ? rc
		: store_path_make_fixed(store_dir(s), slice_of(r->operands[2]), r->recursive ? CA_NAR : CA_FLAT, &h, NULL, 0, 0, &p,
					e);
	if (!rc)
		add_line(s, out, &p);
	return rc;
}

int files_optimise(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	struct optimise_result result;
	struct buf b = BUF_INIT;
	int rc = store_optimise(s, NULL, &result, e);

	(void)r;
	(void)out;
	buf_add_size(&b, result.freed);
	if (!rc)
		report_line("%s freed by hard-linking %zu files", buf_str(&b), result.n);
	buf_release(&b);
	return rc;
}

int files_init(struct store *s, const struct files_request *r, struct buf *out, struct err *e)
{
	(void)s;
	(void)r;
	(void)out;
	(void)e;
	return 0; /* it was opened */
}
