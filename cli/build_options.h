/* SPDX-License-Identifier: MIT
 *
 * The options of every command that builds, and what such a command does with them.
 */
#ifndef CLI_BUILD_OPTIONS_H
#define CLI_BUILD_OPTIONS_H

#include "cli/options.h"
#include "cli/settings.h"
#include "build/build.h"

/* Ids of a command's own options begin at BUILD_OPTION_LAST. */
enum { BUILD_OPTION_FIRST = 100, BUILD_OPTION_LAST = 200 };

struct build_options {
	struct build_settings settings;
	int dry_run;
	uint32_t given; /* options of the command line, a bit each */
	int mapped;	 /* the store it was applied to is not at its place */
	unsigned failed; /* what the last build's failures were, for build_options_status */
};

extern const struct option build_option_table[];

void build_options_init(struct build_options *o);

/* Sets one by its name as a setting, for all that build_options_init fills afterwards.  The value stays as it is. */
enum setting_result build_setting(const char *name, const char *value);

/* As settings_name and settings_is_bool, for these settings alone. */
const char *build_setting_name(size_t i);
int build_setting_is_bool(const char *name);

/* What the setting that was refused last takes, for messages. */
const char *build_setting_wanted(const char *name);

/* Where a setting that is a list is kept, with what is in it; NULL when it is none. */
const char **build_setting_list(const char *name);

/* Fills name, doc and usual of settings_info. */
int build_setting_info(size_t i, struct setting_info *out);

/* settings_now for them. */
int build_setting_now(size_t i, struct buf *b);

/* Takes one of the table's options.  Returns 0, or EXIT_USAGE after saying why. */
int build_options_take(struct build_options *o, int id, char **values);

/* Ready to build with nothing shown and no signal caught: for those that tell of builds in their own way. */
void build_options_prepare(struct build_options *o, const struct store *s);

/* Ready to build in a store: what it does is shown; SIGINT, SIGTERM and SIGHUP cancel it until build_options_end. */
void build_options_apply(struct build_options *o, const struct store *s);

/* Signals mean again what they did, and nothing is shown of it any more. */
void build_options_end(void);

/* Says the error of a build and releases it; returns the exit status that its failures mean together: Nix's. */
int build_options_status(const struct build_options *o, struct err *e);

#endif
