/* SPDX-License-Identifier: MIT
 *
 * The verbs of gx: a tree of tables, one for each group of commands.  Dispatch, `gx help`, suggestions for mistyped verbs, the
 * manual pages (cli/manual.h) and what a shell completes (cli/complete.h) all read the same tables.
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <stddef.h>

struct program;

/* A command (run) or a group of them (verbs).  Tables end with a NULL name. */
struct verb {
	const char *name;
	const char *summary; /* one line; NULL: not shown */
	int (*run)(int argc, char **argv); /* argv[0] is the verb; returns an exit status */
	const struct verb *verbs;
};

/* A verb and the words that lead to it: "gx store gc". */
struct verb_found {
	char title[64];
	struct verb verb;
};

/* Runs what the words after argv[0] name among all verbs of gx; for main. */
int verb_main(const struct verb *verbs, int argc, char **argv);

/* Makes these all verbs of gx, without running any. */
void verb_set_root(const struct verb *verbs);

/* gx itself, a group. */
const struct verb *verb_root(void);

/* Goes into groups as long as the words name verbs: returns how many did. */
size_t verb_find(struct verb_found *f, char *const *words, size_t n);

/* From a group to one of its verbs. */
void verb_descend(struct verb_found *f, const struct verb *v);

/* Prints the help of what the words name.  Returns an exit status. */
int verb_help(char *const *words, size_t n);

/* The groups, one a file. */
extern const struct verb flake_verbs[], store_verbs[], hash_verbs[], nar_verbs[], derivation_verbs[], config_verbs[],
	registry_verbs[], key_verbs[], cache_verbs[], image_verbs[], devpod_verbs[], std_verbs[], profile_verbs[],
	formatter_verbs[];
int daemon_run(int argc, char **argv);
int path_info_run(int argc, char **argv);
int copy_run(int argc, char **argv);
int build_run(int argc, char **argv);
int bench_run(int argc, char **argv);
int develop_run(int argc, char **argv);
int print_dev_env_run(int argc, char **argv);
int env_run(int argc, char **argv);
int shell_run(int argc, char **argv);
int run_run(int argc, char **argv);
int fmt_run(int argc, char **argv);
int search_run(int argc, char **argv);
int bundle_run(int argc, char **argv);
int log_run(int argc, char **argv);
int edit_run(int argc, char **argv);
int init_run(int argc, char **argv); /* gx init, gx flake init */
int help_run(int argc, char **argv);
int config_show_run(int argc, char **argv);
int doc_run(int argc, char **argv);
int doctor_run(int argc, char **argv);
int version_run(int argc, char **argv);
int man_run(int argc, char **argv);
int completion_run(int argc, char **argv);
int nix_names_run(int argc, char **argv);
int why_depends_run(int argc, char **argv);
int verify_tools_run(int argc, char **argv);
int why_reload_run(int argc, char **argv);
int complete_run(int argc, char **argv); /* what completion calls */

/* Set when 'store verify' ends with the status for what is not trusted, which is that of mistakes otherwise. */
extern int verify_found_untrusted;

#endif
