/* SPDX-License-Identifier: MIT
 *
 * Inputs that must be signed: `publicKey` with `keytype`, and `publicKeys`, a list of { type, key } that an input holds as
 * JSON, as lock files do.  With keys a commit is verified unless `verifyCommit` says no.
 */
#include "config.h"
#include "flake/source_int.h"
#include "base/json_tree.h"
#include "base/mem.h"
#include "eval/attrs.h"
#include "eval/coerce.h"
#include "eval/error.h"
#include "eval/list.h"
#include "fetch/git.h"

#include <string.h>

static const char usual_type[] = "ssh-ed25519";

static __attribute__((noreturn, cold)) void bad_keys(void)
{
	throw_error(EK_EVAL, "'publicKeys' must be a list of sets { type = \"ssh-ed25519\"; key = \"AAAA…\"; }, written out");
}

/* --- as values --- */

static W written(W w)
{
	if (w_is_computed(w))
		bad_keys();
	return force(w);
}

static struct jnode *key_node(W set, int literal)
{
	struct jnode *o = json_node(flake_arena(), JSON_OBJECT);

	set = literal ? written(set) : force(set);
	if (W_TAG(set) != TAG_ATTRS)
		bad_keys();
	struct attrs *a = attrs_of(set);
	for (uint32_t i = 0; i < a->n; i++) {
		const char *name = sym_name(a->sh->sym[i])->b;
		W w = literal ? written(a->v[i]) : force(a->v[i]);
		if ((strcmp(name, "type") && strcmp(name, "key")) || !w_is_str(w))
			bad_keys();
		struct str *s = w_get_str(w);
		json_set(o, slice_of(name),
			 json_string(flake_arena(), (struct slice){ arena_dup(flake_arena(), s->b, s->len), s->len }));
	}
	return o;
}

void source_set_keys(struct input *in, W list, int literal)
{
	struct jnode *keys = json_node(flake_arena(), JSON_ARRAY), *last = NULL;
	struct buf b = BUF_GC;

	if (w_type(list) != V_LIST)
		bad_keys();
	struct list *l = list_of(list);
	for (uint32_t i = 0; i < l->n; i++) {
		struct jnode *key = key_node(l->e[i], literal);
		json_append(keys, &last, key);
		last = key;
	}
	json_tree_write(&b, keys);
	source_set(in, "publicKeys", b.p);
}

/* --- as text --- */

static const char *member(const struct jnode *o, const char *name, const char *otherwise)
{
	const struct jnode *v = json_member(o, slice_of(name));

	if (!v)
		return otherwise;
	if (v->kind != JSON_STRING || memchr(v->str.p, 0, v->str.n))
		bad_keys();
	return arena_dup(flake_arena(), v->str.p, v->str.n);
}

/* All keys of an input, in the arena. */
static size_t read_keys(const struct input *in, struct git_key **out)
{
	const char *text = source_get(in, "publicKeys"), *key = source_get(in, "publicKey"), *type = source_get(in, "keytype");
	struct err e = ERR_INIT;
	struct jnode *doc = NULL;
	size_t n = 0;

	if (text && json_tree_parse(flake_arena(), slice_of(text), &doc, &e)) {
		err_prefix(&e, "'publicKeys' is not valid");
		throw_err(&e);
	}
	if (doc && doc->kind != JSON_ARRAY)
		bad_keys();
	for (const struct jnode *k = doc ? doc->first : NULL; k; k = k->next)
		n++;
	*out = arena_alloc(flake_arena(), (n + 1) * sizeof **out);
	n = 0;
	for (const struct jnode *k = doc ? doc->first : NULL; k; k = k->next)
		(*out)[n++] = (struct git_key){ member(k, "type", usual_type), member(k, "key", "") };
	if (key)
		(*out)[n++] = (struct git_key){ type ? type : usual_type, key };
	return n;
}

int source_is_signed(const struct input *in)
{
	const struct input_attr *verify = input_get(in, "verifyCommit");
	struct git_key *keys;

	return verify ? verify->i != 0 : read_keys(in, &keys) > 0;
}

void source_verify(const struct input *in, const char *repo, const char *rev)
{
	struct err e = ERR_INIT;
	struct git_key *keys;
	size_t n = read_keys(in, &keys);

	if (git_verify(repo, rev, keys, n, &e)) {
		err_prefix(&e, "cannot verify the commit %s of '%s'", rev, source_get(in, "url"));
		throw_err(&e);
	}
}
