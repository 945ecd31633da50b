/* SPDX-License-Identifier: MIT
 *
 * From paths to store paths.
 *
 * The store path of a tree is computed from the hash of its archive, which is the expensive part, so hashes are
 * remembered by path for the length of an evaluation, whatever name the object is given, and finished store paths of
 * path values as well.  A file that changes during an evaluation is therefore seen once.
 *
 * A filter is a function of the language: it is called while the archive is written, file by
 * file, as Nix does, so that what it traces comes in the same order.  It may raise an error while descriptors
 * are open; such an error is caught at the call and raised again when the archive writer has returned.
 * What it left out is remembered for the copy into a store, which therefore never asks again, and what it wants for reading
 * the tree where there is no store.
 */
#include "config.h"
#include "builtins/addpath.h"

#include "base/activity.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "builtins/fs.h"
#include "builtins/fs_members.h"
#include "builtins/store_ops.h"
#include "eval/context.h"
#include "eval/eval.h"
#include "fetch/large_tree.h"
#include "fetch/trail.h"
#include "fetch/tree_hash.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Reachable by the collector. */
static struct memo {
	struct strmap hashes;	  /* method and path -> struct hash */
	struct strmap store_paths; /* path value -> string */
	struct strmap large;	  /* places of trees that were told of */
} *memo;

static struct memo *get_memo(void)
{
	return memo ? memo : (memo = mem_root(sizeof *memo));
}

static void end(void)
{
	mem_free(memo);
}

const struct session_part addpath_session[] = { { &memo, sizeof memo, end }, { 0 } };

struct slice path_base_name(W path)
{
	/* The name of a tree's own folder has its hash. */
	if (w_path_is_lazy(path) && !strchr(w_get_path(path)->b + strlen(eval_settings.store_dir) + 1, '/')) {
		const char *name = w_path_text(path)->b + strlen(eval_settings.store_dir) + 1;
		return slice_of(memcpy(mem_bytes(strlen(name) + 1), name, strlen(name) + 1));
	}
	const char *s = strrchr(w_get_path(path)->b, '/');

	return s && s[1] ? slice_of(s + 1) : SLICE("source");
}

W store_path_string(const struct store_path *p)
{
	struct buf b = BUF_GC;

	store_path_add(&b, slice_of(eval_settings.store_dir), p);
	if (eval_settings.pure || eval_settings.restricted)
		fs_allow(b.p, b.len);
	return w_str(b.p, b.len, ctx_single(b.p, b.len));
}

/* --- the filter --- */

struct filtering {
	W fn;
	const char *path; /* of the file asked about */
	size_t n;
	const char *type;
	int answer;
	int raised;
	struct failure failure;
	size_t asked_root, copied_root; /* lengths of the root's path while hashing, copying */
	struct strmap left_out;		/* below the root */
	struct slice *wanted;		/* the same */
	size_t nwanted, wanted_cap;
};

static void call_filter(void *arg)
{
	struct filtering *f = arg;
	W r = call2(f->fn, w_str(f->path, f->n, 0), w_cstr(f->type));

	f->answer = want_bool(r, "the return value of the path filter function");
}

static void want(struct filtering *f, const char *name, size_t n)
{
	MEM_GROW(f->wanted, f->nwanted + 1, f->wanted_cap);
	f->wanted[f->nwanted++] = (struct slice){ memcpy(mem_bytes(n), name, n), n };
}

static int ask_filter(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	struct filtering *f = user;

	if (fs_hidden(path, n, 0)) {
		strmap_put(&f->left_out, path + f->asked_root, n - f->asked_root, NULL);
		return 0;
	}
	f->path = path;
	f->n = n;
	f->type = nar_type_name(type);
	if (!unwind_run(call_filter, f, &f->failure, 1)) {
		f->raised = 1;
		return err_set(e, ERR_INVALID, "the filter failed");
	}
	if (!f->answer)
		strmap_put(&f->left_out, path + f->asked_root, n - f->asked_root, NULL);
	else if (n > f->asked_root + 1)
		want(f, path + f->asked_root + 1, n - f->asked_root - 1);
	return f->answer;
}

static int recall_filter(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	struct filtering *f = user;

	(void)type;
	(void)e;
	return !strmap_get(&f->left_out, path + f->copied_root, n - f->copied_root);
}

/* Leaves out what the tree hides, of paths that begin with `root`; n is 0 when it hides nothing. */
static struct fs_members_filter members_of(W path, const char *root)
{
	const struct box_path *p = w_get_path(path);

	return (struct fs_members_filter){ p->b, fs_has_members(p->b, p->h.n) ? p->h.n : 0, strlen(root) };
}

/* --- hashing --- */

void tree_tell_large(struct large_tree *l, const char *place, int some)
{
	struct buf b = BUF_GC;
	int is_new;

	buf_adds(&b, "note: ");
	if (!large_tree_end(l, place, &b))
		return;
	strmap_put(&get_memo()->large, place, strlen(place), &is_new);
	if (!is_new)
		return;
	if (!some)
		buf_adds(&b, "; of a git repository only what it tracks would be");
	if (eval_world()->remark)
		eval_world()->remark(b.p, b.len);
}

/* Reads all of what lies at a place; some: only some of what lies there counts.  root: what stands for it in paths. */
static int read_object(const struct tree_question *q, int some, struct hash *out, struct err *e)
{
	struct large_tree large;
	const struct nar_filter *filter = large_tree_begin(&large, strlen(q->root), q->filter);
	unsigned activity = activity_begin(ACTIVITY_HASH, q->place);
	int rc;

	if (q->flat)
		rc = nar_hash_file_flat(HASH_SHA256, AT_FDCWD, q->place, out, NULL, e);
	else
		rc = nar_hash(HASH_SHA256, AT_FDCWD, q->place, q->root, filter, out, &large.size, e);
	activity_end(activity, rc);
	tree_tell_large(&large, q->place, some);
	return rc;
}

/* The same, unless it is known of a state that did not change since; a filter may be another function each time. */
static int hash_place(const struct tree_question *q, int some, int filtered, struct hash *out, struct err *e)
{
	struct hash state;

	if (filtered)
		return read_object(q, some, out, e);
	if (tree_hash_recall(q, &state, out))
		return 0;
	int rc = read_object(q, some, out, e);
	if (!rc)
		tree_hash_remember(q, &state, out);
	return rc;
}

static void hash_object(const struct add_path *p, struct filtering *f, struct hash *out)
{
	const char *path = w_get_path(p->path)->b, *text = fs_provided(p->path);
	const char *place = text ? NULL : fs_tree(p->path);
	const struct nar_filter ask = { ask_filter, f };
	struct fs_members_filter members = members_of(p->path, path);
	const struct nar_filter tracked = { fs_members_include, &members }, *filter = f ? &ask : members.n ? &tracked : NULL;
	struct trail_tree trail;
	struct err e = ERR_INIT;
	int rc = 0;

	if (place)
		filter = trail_tree_begin(&trail, place, strlen(path), filter, members.n ? TRAIL_OF_INDEX : TRAIL_ALL);
	const struct tree_question question = { place, path, filter, p->method == CA_FLAT };
	if (text && p->method == CA_FLAT)
		hash_bytes(HASH_SHA256, text, strlen(text), out);
	else if (text)
		nar_hash_bytes(HASH_SHA256, slice_of(text), 0, out, NULL);
	else
		rc = hash_place(&question, members.n || f, f != NULL, out, &e);
	if (f && f->raised) {
		err_release(&e);
		unwind_rethrow(&f->failure);
	}
	if (rc)
		throw_err(&e);
}

static void hash_remembered(const struct add_path *p, struct hash *out)
{
	const struct box_path *path = w_get_path(p->path);
	size_t n = path->h.n;
	char *key = mem_bytes(n + 2);
	uint64_t *v;
	struct hash *h;

	key[0] = p->method == CA_FLAT ? 'f' : 'r';
	memcpy(key + 1, path->b, n + 1);
	v = strmap_get(&get_memo()->hashes, key, n + 1);
	if (v) {
		*out = *(struct hash *)(uintptr_t)*v;
		return;
	}
	hash_object(p, NULL, out);
	h = mem_bytes(sizeof *h);
	*h = *out;
	*strmap_put(&get_memo()->hashes, key, n + 1, NULL) = (uintptr_t)h;
}

static void make_path(const struct add_path *p, const struct hash *h, struct store_path *out)
{
	struct err e = ERR_INIT, hinted = ERR_INIT;

	if (!store_path_make_fixed(slice_of(eval_settings.store_dir), p->name, p->method, h, p->refs, p->nrefs, 0, out,
				   &e))
		return;
	err_set(&hinted, e.code, "the path '%s' cannot be added to the store: %s\ngive it another name: builtins.path "
		"{ path = …; name = \"…\"; }", w_get_path(p->path)->b, e.msg);
	err_release(&e);
	throw_err(&hinted);
}

static __attribute__((noreturn, cold)) void throw_mismatch(const struct add_path *p, const struct hash *got)
{
	char want_text[HASH_TEXT_MAX], got_text[HASH_TEXT_MAX];

	hash_print(p->expected, HASH_SRI, 1, want_text);
	hash_print(got, HASH_SRI, 1, got_text);
	throw_error(EK_EVAL, "the %spath '%s' does not have the hash that was given: wanted %s, got %s",
		    p->filter == W_NULL ? "" : "filtered ", w_get_path(p->path)->b, want_text, got_text);
}

/* --- into the store --- */

static int is_there(const struct store_ops *ops, const struct add_path *p, W path)
{
	struct err e = ERR_INIT;
	int rc = ops->is_valid_as(ops->user, (struct slice){ w_get_str(path)->b, w_get_str(path)->len }, p->method, p->expected,
				  &e);

	if (rc < 0)
		throw_err(&e);
	return rc;
}

static void copy_object(const struct store_ops *ops, const struct add_path *p, W path, const struct hash *h,
			struct filtering *f)
{
	const struct nar_filter recall = { recall_filter, f };
	struct slice to = { w_get_str(path)->b, w_get_str(path)->len };
	const char *from = fs_tree(p->path);
	struct err e = ERR_INIT;

	if (f)
		f->copied_root = strlen(from);
	struct fs_members_filter members = members_of(p->path, from);
	const struct nar_filter tracked = { fs_members_include, &members };
	if (ops->add_tree(ops->user, to, from, p->method, h, f ? &recall : members.n ? &tracked : NULL, p->refs, p->nrefs,
			  &e))
		throw_err(&e);
}

/* Without a store to copy to, the copy is read from where it comes from. */
static void stand_in(W path, const char *store_path)
{
	const char *text = fs_provided(path);

	if (text)
		fs_stand_in_text(store_path, w_cstr(text));
	else
		fs_stand_in(store_path, fs_tree(path));
}

/* What copy_object needs, for when there is a store. */
struct copy {
	struct add_path p;
	struct hash hash;
	struct filtering *f;
	W result;
};

static void copy_now(void *copy)
{
	const struct copy *c = copy;

	/* A text that nobody had written yet. */
	if (fs_provided(c->p.path))
		fs_realise_context(ctx_single(w_get_path(c->p.path)->b, w_get_path(c->p.path)->h.n));
	copy_object(store_ops_writing(), &c->p, c->result, &c->hash, c->f);
}

static void copy_when_there_is_a_store(const struct add_path *p, W result, const struct hash *h, struct filtering *f)
{
	struct copy *c;

	if (!store_ops_may_come())
		return;
	c = mem_new(sizeof *c);
	*c = (struct copy){ *p, *h, f, result };
	c->p.expected = NULL; /* its owner's */
	store_ops_later(copy_now, c);
}

W add_path(const struct add_path *p)
{
	const struct store_ops *ops = store_ops_writing();
	struct filtering *f = NULL;
	struct store_path sp;
	struct add_path seen;
	struct hash h;
	W result;

	if (p->expected && store_ops) {
		make_path(p, p->expected, &sp);
		result = store_path_string(&sp);
		if (is_there(store_ops, p, result))
			return result;
	}
	if (p->filter != W_NULL && p->method == CA_NAR) {
		/* A filter sees where the files are. */
		seen = *p;
		if (w_path_is_lazy(seen.path))
			seen.path = eval_world()->real_path(seen.path);
		p = &seen;
		f = mem_new(sizeof *f);
		f->fn = p->filter;
		f->asked_root = w_get_path(p->path)->h.n;
		hash_object(p, f, &h);
	} else {
		hash_remembered(p, &h);
	}
	if (p->expected && !hash_eq(p->expected, &h))
		throw_mismatch(p, &h);
	make_path(p, &h, &sp);
	result = store_path_string(&sp);
	if (ops)
		copy_object(ops, p, result, &h, f);
	else
		copy_when_there_is_a_store(p, result, &h, f);
	if (!ops && f)
		fs_stand_in_filtered(w_get_str(result)->b, fs_tree(p->path), f->wanted, f->nwanted);
	else if (!ops)
		stand_in(p->path, w_get_str(result)->b);
	return result;
}

W path_to_store(W path)
{
	struct box_path *b = w_get_path(path);
	uint64_t *known = strmap_get(&get_memo()->store_paths, b->b, b->h.n);
	struct add_path p = { .path = path, .given = path, .method = CA_NAR, .filter = W_NULL };
	W result;

	if (known)
		return *known;
	p.name = path_base_name(path);
	if (slice_ends(p.name, SLICE(".drv")))
		throw_error(EK_EVAL, "the file '%s' cannot be copied to the store: names of files there may not end in '.drv'",
			    b->b);
	result = add_path(&p);
	*strmap_put(&get_memo()->store_paths, b->b, b->h.n, NULL) = result;
	return result;
}
