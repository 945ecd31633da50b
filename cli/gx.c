/* SPDX-License-Identifier: MIT
 *
 * gx: the store, builds and flakes from the command line.  This file is the table of verbs; each group has a file.
 */
#include "config.h"
#include "cli/conf.h"
#include "cli/eval_main.h"
#include "cli/nix/nix.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/repl/repl.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/shebang.h"
#include "cli/verb.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const struct verb verbs[] = {
	{ "build", "build packages and derivations", build_run, NULL },
	{ "develop", "a shell with what a flake's development shell offers", develop_run, NULL },
	{ "print-dev-env", "print what gx develop sets, as a script", print_dev_env_run, NULL },
	{ "env", "what gx develop sets, for direnv", env_run, NULL },
	{ "shell", "a shell with packages in PATH", shell_run, NULL },
	{ "run", "run a program of a flake", run_run, NULL },
	{ "fmt", "reformat your code in the standard style", fmt_run, NULL },
	{ "formatter", "build or run the formatter of a flake", NULL, formatter_verbs },
	{ "bundle", "build what a bundler makes of a program", bundle_run, NULL },
	{ "search", "find packages by name and description", search_run, NULL },
	{ "verify-tools", "which programs are here, by their hashes", verify_tools_run, NULL },
	{ "bench", "run a command again and again, and say what that tells", bench_run, NULL },
	{ "why-reload", "why something is evaluated anew", why_reload_run, NULL },
	{ "init", "write a flake to start from", init_run, NULL },
	{ "log", "print the log of a build", log_run, NULL },
	{ "edit", "open the editor where a package is written", edit_run, NULL },
	{ "eval", "evaluate an attribute of a flake, a file or an expression", eval_main, NULL },
	{ "repl", "evaluate expressions as they are typed", repl_main, NULL },
	{ "flake", "look at flakes, lock their inputs", NULL, flake_verbs },
	{ "profile", "packages that stay: add, remove, upgrade, go back", NULL, profile_verbs },
	{ "registry", "what the names of flakes mean", NULL, registry_verbs },
	{ "store", "look into the store, add to it, check and clean it", NULL, store_verbs },
	{ "path-info", "what the store knows about its objects", path_info_run, NULL },
	{ "why-depends", "by which references an object needs another", why_depends_run, NULL },
	{ "cache", "the store for other machines", NULL, cache_verbs },
	{ "copy", "copy objects to and from binary caches and other stores", copy_run, NULL },
	{ "image", "images for containers: make, send, load and look at them", NULL, image_verbs },
	{ "std", "the standard library: is something newer", NULL, std_verbs },
	{ "daemon", "serve the store to other users and machines", daemon_run, NULL },
	{ "devpod", "places to work in, in a cluster", NULL, devpod_verbs },
	{ "derivation", "look at derivations", NULL, derivation_verbs },
	{ "hash", "compute and convert hashes", NULL, hash_verbs },
	{ "nar", "archives of files and folders", NULL, nar_verbs },
	{ "key", "keys that binary caches sign with", NULL, key_verbs },
	{ "config", "settings", NULL, config_verbs },
	{ "doc", "what a function is for, and what it takes", doc_run, NULL },
	{ "help", "what a verb does and which options it has", help_run, NULL },
	{ "man", "print the manual page of a verb", man_run, NULL },
	{ "completion", "what makes a shell complete gx's words", completion_run, NULL },
	{ "nix-names", "the folder with Nix's names for gx", nix_names_run, NULL },
	{ "doctor", "what gx finds on this machine, and what it lacks", doctor_run, NULL },
	{ "version", "print the version", version_run, NULL },
	{ "__complete", NULL, complete_run, NULL },
	{ 0 }
};

/* Nix has it for `nix`; its other commands read such lines in their own way. */
static int take_script(int *argc, char ***argv)
{
	const char *slash = *argc ? strrchr((*argv)[0], '/') : NULL, *name = slash ? slash + 1 : *argc ? (*argv)[0] : "";

	if (!strcmp(name, "nix"))
		return shebang_take(argc, argv, "nix", NULL);
	return strncmp(name, "nix-", 4) ? shebang_take(argc, argv, "gx", "nix") : 0;
}

int main(int argc, char **argv)
{
	output_hold_descriptors();
	signal(SIGPIPE, SIG_IGN);
	report_init();
	settings_defaults();
	conf_load();
	int bad = take_script(&argc, &argv);
	if (bad)
		return bad;
	int status = nix_main(verbs, argc, argv);
	return status >= 0 ? status : verb_main(verbs, argc, argv);
}
