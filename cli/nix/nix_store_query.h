/* SPDX-License-Identifier: MIT
 *
 * nix-store --query.
 */
#ifndef CLI_NIX_NIX_STORE_QUERY_H
#define CLI_NIX_NIX_STORE_QUERY_H

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

enum query_kind {
	QUERY_OUTPUTS = 1, QUERY_REQUISITES, QUERY_REFERENCES, QUERY_REFERRERS, QUERY_REFERRERS_CLOSURE, QUERY_DERIVER,
	QUERY_VALID_DERIVERS, QUERY_BINDING, QUERY_HASH, QUERY_SIZE, QUERY_TREE, QUERY_GRAPH, QUERY_GRAPHML, QUERY_ROOTS,
	QUERY_RESOLVE
};

struct query {
	enum query_kind kind; /* 0: none was asked */
	const char *binding;  /* QUERY_BINDING: the variable */
	int use_output;	      /* of a derivation is asked what its outputs are asked */
	int include_outputs;  /* QUERY_REQUISITES: also outputs of derivations */
};

/* Appends the answers about objects that the operands name (links to them too). */
int query_answer(struct store *s, const struct query *q, char *const *operands, size_t n, struct buf *out, struct err *e);

#endif
