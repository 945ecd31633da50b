/* SPDX-License-Identifier: MIT
 *
 * Between the files of the progress display: what is going on (progress.c keeps it) and the forms it is shown in.
 *
 * A form says something of a change by appending to progress.out, which progress.c writes.  Text of others in here is clean
 * (base/visible.h) and has no tabs; in the text of lines and notes it is not.
 */
#ifndef CLI_PROGRESS_INT_H
#define CLI_PROGRESS_INT_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdint.h>

enum task_kind { TASK_EVALUATE, TASK_FETCH, TASK_BUILD, TASK_COPY, TASK_HASH, TASK_WAIT };

struct task {
	unsigned id, activity; /* of base/activity.h, 0 for a build */
	enum task_kind kind;
	char *name;   /* as people know it */
	char *drv;    /* path of the derivation, NULL for what is no build */
	char *machine; /* where it is built, NULL: here */
	char *detail; /* what it is doing, may be NULL */
	double began;
	double usual;	   /* seconds it took last time, 0: not known */
	uint64_t now, all; /* bytes of a fetch; of a build what it counts; all is 0 when it is not known */
	uint64_t sample;   /* bytes, */
	double sampled;	   /* when it was taken */
	double rate;	   /* bytes a second, 0 when not known yet */
	int told;	   /* a form that says only what takes long has said it */
};

enum change {
	CHANGE_BEGIN,
	CHANGE_LINE, /* text: what the builder printed, as it is */
	CHANGE_PHASE,
	CHANGE_MOVE, /* now, all */
	CHANGE_END,
	CHANGE_FAIL,
	CHANGE_NOTE, /* text; no task */
	CHANGE_PLAN, /* the totals; no task */
	CHANGE_OVER  /* the end of all; no task */
};

struct progress {
	struct task *v;
	size_t n, cap;
	size_t built, builds, fetched, fetches, failed; /* done, and to do with what is done */
	size_t others;					/* waited for: what another process built */
	uint64_t bytes;					/* of the fetches that are done */
	char *next;
	double began, now; /* the clock, read once a change or frame */
	int logs, colour;
	int planned; /* a plan was told */
	struct buf out;
};

struct log_form {
	void (*change)(struct progress *p, enum change c, const struct task *t, struct slice text);
	void (*tick)(struct progress *p); /* ten times a second; may be NULL */
};

extern const struct log_form form_bar, form_plain, form_raw, form_json, form_nix;

/* form_nix for a file: what it says of a change is appended to out without the words before each line, and which builders are
 * started besides.  What is shown stays as it is. */
void nix_log_change(struct progress *p, enum change c, const struct task *t, struct slice text, struct buf *out);

/* Appends the lines that are drawn in a window of that size, each with its end but the last; returns how many there are.  turn
 * moves the sign of life. */
size_t bar_frame(const struct progress *p, size_t columns, size_t rows, unsigned turn, struct buf *b);

/* Appends "gx: 38 fetched (204.0 MiB), 18 built, 1 built by another process, in 6 min 12 s". */
void progress_add_summary(const struct progress *p, const char *program, struct buf *b);

/* Appends a duration in words: "3.1 s", "1 min 4 s". */
void progress_add_time(struct buf *b, double seconds);

#endif
