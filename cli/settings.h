/* SPDX-License-Identifier: MIT
 *
 * Settings by the names that nix.conf gives them, as --option NAME VALUE and as --NAME VALUE
 * (--NAME and --no-NAME for those that are true or false).
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stddef.h>

struct buf;

/* Unknown names are warned of and no mistakes, as scripts for Nix expect; set before command lines are read. */
extern int settings_lenient;

/* 1: what kind of failure a build was is not told by the exit status, as by the name nix. */
extern int settings_one_failure;

enum setting_result {
	SETTING_OK,
	SETTING_UNKNOWN, /* no setting of that name */
	SETTING_IGNORED, /* a setting of nix.conf that nothing here reads */
	SETTING_BAD,     /* the value is not one it can have; settings_wanted says which it can */
	SETTING_TOLD     /* the same, and it was said */
};

/* value must stay as it is for the life of the process, and so must from: where it was said. */
enum setting_result settings_set_from(const char *name, const char *value, const char *from);

/* The same from the command line. */
enum setting_result settings_set(const char *name, const char *value);

/* 1 when the command line said what it is. */
int settings_is_said(const char *name);

/* Where it was said, NULL when nothing did. */
const char *settings_from(const char *name);

/* What is so instead of what an ignored setting says, a clause; NULL for others. */
const char *settings_why_not(const char *name);

/* What values a setting takes ("true or false"), for messages; after SETTING_BAD, why it was that. */
const char *settings_wanted(const char *name);

/* 1 when the setting is true or false, 0 when it takes another value, -1 when unknown. */
int settings_is_bool(const char *name);

/* What a word says of a setting that is true or false: 1, 0, or -1 when it is no such word. */
int settings_bool(const char *value);

/* A setting for people; nothing is to be freed. */
struct setting_info {
	const char *name, *kind, *doc;
	const char *usual; /* in words, when nothing sets it */
	const char *value; /* what does, NULL when nothing did */
	const char *from;  /* where that was */
};

/* Fills out about the i-th setting; 0 past the last. */
int settings_info(size_t i, struct setting_info *out);

/* What the i-th setting is now, as its text in nix.conf, added to b; 0 past the last. */
int settings_now(size_t i, struct buf *b);

/* The name of the i-th setting, NULL past the last. */
const char *settings_name(size_t i);

/* The same of those that are ignored as well. */
const char *settings_any_name(size_t i);

/* The entries that nix-path gave, with blanks between, NULL when it was not set; those that extra-nix-path adds at the end. */
const char *settings_nix_path(void);
const char *settings_extra_nix_path(void);

/* Gives eval_settings its values before the command line is read. */
void settings_defaults(void);

#endif
