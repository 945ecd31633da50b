/* SPDX-License-Identifier: MIT
 *
 * What people see while something takes time, on standard error.
 *
 * Whoever works tells of it, through base/activity.h and the events of builds; whoever may take long does so between progress_begin
 * and progress_end.  On a terminal a few lines are drawn in place by a thread of their own, ten times a second, so that they move
 * whatever the others do; nothing is shown of the first half second.  Everything else that goes to standard error goes through
 * progress_write, and so appears above them.  A line that says what was done stays.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "base/slice.h"

struct build_event;

enum log_format {
	LOG_AUTO, /* a bar on a terminal, else plain */
	LOG_BAR,  /* the same, when asked for: where there is no terminal a bar cannot be drawn */
	LOG_PLAIN, /* a line at the start and the end of each */
	LOG_RAW,  /* the starts alone; what builders print, when wanted, as it comes */
	LOG_JSON, /* an object a line */
	LOG_NIX	  /* internal-json: what Nix's --log-format of this name prints, which other programs read */
};

struct progress_settings {
	enum log_format format;
	int logs;  /* show what builders print */
	int quiet; /* failures and notes only */
	const char *json_file; /* to which internal-json goes as well, without the words before each line; NULL: none */
};

extern struct progress_settings progress_settings;

/* The format of this name (--log-format), as Nix knows them too; logs may be set.  Returns 0, or -1 when there is none. */
int progress_set_format(const char *name);

/* The names, for messages. */
#define LOG_FORMATS "bar, bar-with-logs, plain, raw, raw-with-logs, json or internal-json"

/* From now on things may take time.  Calls nest; the outermost end takes away what was drawn and says what was done. */
void progress_begin(void);
void progress_end(void);

/* Ends all of them: before another program takes the place of this one, or the last word is said. */
void progress_finish(void);

/* Builds in this store follow, and their events. */
void progress_watch_builds(struct slice store_dir);
void progress_build_event(const struct build_event *ev);

/* Writes to standard error, above what is drawn.  Failures are nobody's. */
void progress_write(const char *p, size_t n);

/* Takes away what was drawn, for good; for handlers of signals that end the process. */
void progress_wipe(void);

#endif
