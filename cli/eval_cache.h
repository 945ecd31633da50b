/* SPDX-License-Identifier: MIT
 *
 * What a command evaluates to, kept for the next time it is asked (fetch/answers.h, fetch/trail.h).
 *
 *	struct eval_cache k;
 *	if (eval_cache_find(&k, &question)) { take k.answer; }
 *	else { evaluate; eval_cache_keep(&k, status, answer); }
 *	eval_cache_end(&k);
 *
 * A question is what was asked: the command, the folder, the words, options and arguments that the evaluator gets.  Whatever
 * else decides is on the trail: files, variables, settings, this very program.  What is told on the way (traces, warnings, the
 * error that ended it) belongs to the answer, and is told again.  Errors are answers; what may be otherwise next time (the clock,
 * what was fetched without a lock, a file that could not be read, a stack that was too small) is none.
 */
#ifndef CLI_EVAL_CACHE_H
#define CLI_EVAL_CACHE_H

#include "base/buf.h"
#include "base/slice.h"
#include "cli/eval_cmd.h"
#include "eval/error.h"
#include "fetch/answers.h"

struct eval_question {
	const char *kind; /* the command */
	const struct eval_request *r;
	const char *store; /* where its store is, NULL without */
	const char *const *words;
	size_t n;
	int pure;
};

struct eval_cache {
	int status;	     /* of the answer */
	struct slice answer; /* as given to eval_cache_keep */

	/* private */
	struct buf question, told, reason;
	struct answer found;
	int on, costly; /* kept only when it took long */
	int64_t began;
};

/* 1 when there is an answer; otherwise what is evaluated from now on is noted. */
int eval_cache_find(struct eval_cache *k, const struct eval_question *q);

/* Tells again what was told.  For an answer that is used. */
void eval_cache_tell(const struct eval_cache *k);

/* The answer that was found is of no use: evaluates anew after all. */
void eval_cache_refuse(struct eval_cache *k, const char *why);

/* An error ended the evaluation: one that is no answer is not kept. */
void eval_cache_failed(enum error_kind kind);

/* Keeps what came out, if it can be. */
void eval_cache_keep(struct eval_cache *k, int status, struct slice answer);

void eval_cache_end(struct eval_cache *k);

/* The words of a question that was kept, one after the other, each ended by a NUL: the command, the folder, then the rest.  Whether
 * its trail holds is asked in that folder; as trail_holds.  */
int eval_cache_holds(struct answer *a, struct buf *why);

/* --- answers as bytes: fields of any length one after the other --- */

void answer_add(struct buf *b, const void *p, size_t n);

/* Takes the next off *rest; -1 when there is none.  The field is followed by a NUL. */
int answer_take(struct slice *rest, struct slice *out);

#endif
