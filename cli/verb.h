/* SPDX-License-Identifier: MIT
 *
 * The verbs of gx: a tree of tables, one for each group of commands.  Dispatch, `gx --help`, `gx GROUP --help` and
 * suggestions for mistyped verbs all read the same tables.
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

/* A command (run) or a group of them (verbs).  Tables end with a NULL name. */
struct verb {
	const char *name;
	const char *summary; /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is the verb; returns an exit status */
	const struct verb *verbs;
};

/* Runs what the words after argv[0] name.  title: "gx" or "gx store", for messages and help; about: what it is for. */
int verb_run(const char *title, const char *about, const struct verb *verbs, int argc, char **argv);

/* The groups, one a file. */
extern const struct verb flake_verbs[], store_verbs[], hash_verbs[], nar_verbs[], derivation_verbs[];
int path_info_run(int argc, char **argv);
int build_run(int argc, char **argv);
int develop_run(int argc, char **argv);
int print_dev_env_run(int argc, char **argv);
int env_run(int argc, char **argv);
int shell_run(int argc, char **argv);
int run_run(int argc, char **argv);
int log_run(int argc, char **argv);
int init_run(int argc, char **argv); /* gx init, gx flake init */

#endif
