/* SPDX-License-Identifier: MIT
 *
 * Which command this is, and the frame of them all.
 */
#include "config.h"
#include "cli/nix/nix.h"
#include "base/alloc.h"
#include "builtins/constants.h"
#include "cli/conf.h"
#include "cli/output.h"
#include "cli/programs.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/value_options.h"
#include "eval/eval.h"
#include "flake/registry.h"
#include "store/place.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv); /* NULL: nix itself, the verbs of gx */
} commands[] = {
	{ "nix", NULL },
	{ "nix-build", nix_build_run },
	{ "nix-instantiate", nix_instantiate_run },
	{ "nix-store", nix_store_run },
	{ "nix-shell", nix_shell_run },
	{ "nix-env", nix_env_run },
	{ "nix-hash", nix_hash_run },
	{ "nix-daemon", nix_daemon_run },
	{ "nix-collect-garbage", nix_collect_garbage_run },
	{ "nix-copy-closure", nix_copy_closure_run },
	{ "nix-prefetch-url", nix_prefetch_url_run },
	{ "nix-channel", nix_channel_run },
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* With --verbose: where things are. */
static void add_places(struct buf *b)
{
	const struct place_request none = { NULL, NULL };
	struct err e = ERR_INIT;
	struct place p;

	buf_addf(b, "System type: %s\n", eval_settings.system);
	conf_add_files(b, "System configuration file: ", "User configuration files: ");
	if (!place_choose(&p, &none, &e))
		buf_addf(b, "Store directory: %s\nState directory: %s\n", p.store_dir, p.state_dir);
	place_release(&p);
	err_release(&e);
}

int nix_version_print(const char *name, int verbose)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_addf(&b, "%s (" PACKAGE_NAME " " PACKAGE_VERSION ") " NIX_VERSION "\n", name);
	if (verbose)
		add_places(&b);
	rc = output_show(b.p, b.len);
	buf_release(&b);
	return rc;
}

/* --- nix --- */

/* How many words behind an option belong to it. */
static int values_of(const char *option)
{
	static const struct {
		const char *name;
		int values;
	} known[] = { { "option", 2 }, { "store", 1 }, { "log-format", 1 } };
	const char *name = option + 2;

	if (option[1] != '-' || strchr(option, '='))
		return 0;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(name, known[i].name))
			return known[i].values;
	return settings_is_bool(strncmp(name, "extra-", 6) ? name : name + 6) == 0;
}

/* Verbs that gx has under another name, and what they are called here. */
static const struct {
	const char *nix, *gx;
} other_names[] = {
	{ "store add-path", "store add" },
	{ "store add-file", "store add --mode flat" },
	{ "store optimize", "store optimise" },
	{ "env shell", "shell" },
	{ "store repair", "store verify --repair" },
	{ "store dump-path", "nar pack" },
	{ "nar dump-path", "nar pack" },
	{ "hash to-base16", "hash convert --to base16" },
	{ "hash to-base32", "hash convert --to nix32" },
	{ "hash to-base64", "hash convert --to base64" },
	{ "hash to-sri", "hash convert --to sri" },
	{ "to-base16", "hash convert --to base16" },
	{ "to-base32", "hash convert --to nix32" },
	{ "to-base64", "hash convert --to base64" },
	{ "to-sri", "hash convert --to sri" },
	{ "hash-file", "hash file" },
	{ "hash-path", "hash path" },
	{ "show-derivation", "derivation show" },
	/* As the Nix whose language this is prints them. */
	{ "derivation show", "derivation show --json-format 4" },
	{ "search", "search --long" },
	{ "path-info", "path-info --json-format 1" },
	{ "show-config", "config show" },
	{ "store ping", "store info" },
	{ "ping-store", "store info" },
};

static void add_words(struct words *w, const char *text)
{
	for (; *text; text += strspn(text, " ")) {
		size_t n = strcspn(text, " ");

		words_addf(w, "%.*s", (int)n, text);
		text += n;
	}
}

/* Takes the words of a verb from the line, as gx calls it; returns how many of the line's they are. */
static int take_verb(struct words *out, int argc, char **argv)
{
	const struct verb *in = verb_root()->verbs;
	int n = 0;

	for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++) {
		struct words name = { NULL, 0, 0 };
		size_t k = 0;

		add_words(&name, other_names[i].nix);
		while (k < name.n && (int)k < argc && !strcmp(argv[k], name.v[k]))
			k++;
		n = k == name.n ? (int)k : 0;
		words_release(&name);
		if (n) {
			add_words(out, other_names[i].gx);
			return n;
		}
	}
	for (; in && n < argc; n++) {
		while (in->name && strcmp(in->name, argv[n]))
			in++;
		if (!in->name)
			break;
		words_add(out, argv[n]);
		in = in->verbs;
	}
	return n;
}

/* The line as gx takes it: the verb, by its own name, before all options; Nix takes these before the verb as well. */
static void translate(struct words *out, int argc, char **argv)
{
	int before = 1, used;

	while (before < argc && argv[before][0] == '-')
		before += 1 + values_of(argv[before]);
	before = before < argc ? before : argc;
	words_add(out, "gx");
	used = take_verb(out, argc - before, argv + before);
	if (!used && before < argc) { /* unknown: that is what will be said */
		words_add(out, argv[before]);
		used = 1;
	}
	for (int i = 1; i < before; i++)
		words_add(out, argv[i]);
	for (int i = before + used; i < argc; i++)
		words_add(out, argv[i]);
}

/* -f, also behind others: -Lvf. */
static int names_file(const char *word)
{
	size_t n = strlen(word);

	if (!strncmp(word, "--file", 6))
		return 1;
	return n > 1 && word[0] == '-' && word[n - 1] == 'f' && strspn(word + 1, "Lvqf") == n - 1;
}

/* Of an expression nix eval tells only what the expression alone says; of a file, as nix-instantiate, what the machine does. */
static void be_pure(const struct words *w)
{
	int pure = w->n > 1 && (!strcmp(w->v[1], "eval") || !strcmp(w->v[1], "build") || !strcmp(w->v[1], "run"));

	for (size_t i = 2; i < w->n; i++)
		if (names_file(w->v[i]) || !strcmp(w->v[i], "--impure"))
			pure = 0;
	if (pure && !settings_is_said("pure-eval"))
		eval_settings.pure = 1;
}

/* What lies in a file is what this machine says, which pure evaluation does not look at. */
static int is_compatible(const struct words *w)
{
	int file = 0, pure = 0;

	for (size_t i = 2; i < w->n; i++) {
		file |= names_file(w->v[i]);
		pure |= !strcmp(w->v[i], "--pure-eval");
	}
	if (file && pure)
		report_error("'--file' is not compatible with '--pure-eval'");
	return !(file && pure);
}

static int run_nix(const struct verb *verbs, int argc, char **argv)
{
	struct words line = { NULL, 0, 0 };
	const char *completed = getenv("NIX_GET_COMPLETIONS");

	if (completed && *completed) {
		verb_set_root(verbs);
		return nix_complete(argc, argv, (size_t)strtoul(completed, NULL, 10));
	}
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return nix_version_print("nix", 0);
	translate(&line, argc, argv);
	if (!is_compatible(&line))
		return EXIT_USAGE;
	be_pure(&line);
	/* What kind of failure a build was only the older commands tell. */
	settings_one_failure = 1;
	/* Settings keep the texts they are given. */
	return verb_main(verbs, (int)line.n, line.v);
}

int nix_main(const struct verb *verbs, int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL, *name = slash ? slash + 1 : argc ? argv[0] : "";

	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(name, commands[i].name))
			continue;
		place_obey_environment();
		verb_set_root(verbs);
		settings_lenient = 1;
		registry_settings.of_nix = 1;
		int rc = commands[i].run ? commands[i].run(argc, argv) : run_nix(verbs, argc, argv);
		/* Nix has one status for both, and a 2 of its own. */
		return rc == EXIT_USAGE && !verify_found_untrusted ? EXIT_FAILED : rc;
	}
	return -1;
}

/* --- command lines --- */

static int set(struct nix_line *l, const char *name, const char *value)
{
	return value_options_set(l->program, name, value);
}

static int on_option(void *arg, int id, char **values)
{
	struct nix_line *l = arg;

	switch (id) {
	case NIX_JOBS: return set(l, "max-jobs", values[0]);
	case NIX_KEEP_GOING: return set(l, "keep-going", "true");
	case NIX_KEEP_FAILED: return set(l, "keep-failed", "true");
	case NIX_OPTION: return set(l, values[0], values[1]);
	case NIX_TRACE: eval_settings.show_trace = report_settings.full_trace = 1; return 0;
	case NIX_NO_LOGS: progress_settings.logs = 0; return 0;
	case NIX_QUIET: report_settings.quiet = progress_settings.quiet = 1; return 0;
	case NIX_LOG_FORMAT:
		return progress_set_format(values[0]) ?
			       usage_error(l->program, "log format '%s' is none of " LOG_FORMATS, values[0]) : 0;
	case NIX_STORE: l->store = values[0]; return 0;
	case NIX_READ_ONLY: eval_settings.read_only = 1; return 0;
	case NIX_VERBOSE: l->verbose = 1; return 0;
	case NIX_HELP: l->done = 1; return options_help(l->program);
	case NIX_VERSION_OPTION: l->done = 1; return nix_version_print(l->program->name, l->verbose);
	}
	return l->option(l, id, values);
}

static int on_operand(void *arg, char *word)
{
	words_add(&((struct nix_line *)arg)->operands, word);
	return 0;
}

/* A setting by its own name. */
static int on_other(void *arg, const char *name, char *value, int *used)
{
	return value_options_other(((struct nix_line *)arg)->program, name, value, used);
}

int nix_line_read(struct nix_line *l, int argc, char **argv)
{
	const struct option_sink sink = { on_option, on_operand, on_other, settings_name, l };
	int rc;

	/* What builders print is shown, as it is, unless somebody looks who sees it in a bar. */
	progress_settings.logs = 1;
	if (!isatty(STDERR_FILENO))
		progress_settings.format = LOG_RAW;
	rc = options_parse(l->program, argc, argv, &sink);

	return rc || l->done ? rc : COMMAND_GO;
}

void nix_line_release(struct nix_line *l)
{
	words_release(&l->operands);
}

int nix_open(struct command *c, const struct nix_line *l, int reading)
{
	c->request.store = l->store;
	return reading ? command_open_reading(c) : command_open(c, 0);
}

int nix_run_verb(const struct nix_line *l, const char *verb, const struct words *more)
{
	struct words argv = { NULL, 0, 0 };
	struct verb_found f;
	size_t at;
	int rc;

	add_words(&argv, verb);
	at = argv.n - 1; /* the verb's own name is the word before its options */
	verb_find(&f, argv.v, argv.n);
	if (l->store) {
		words_add(&argv, "--store");
		words_add(&argv, l->store);
	}
	for (size_t i = 0; more && i < more->n; i++)
		words_add(&argv, more->v[i]);
	rc = f.verb.run((int)(argv.n - at), argv.v + at);
	words_release(&argv);
	return rc;
}

/* --- gx nix-names --- */

static int link_names(const char *dir, const char *gx)
{
	struct buf b = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; !rc && i < N_COMMANDS; i++) {
		buf_trim(&b, 0);
		buf_addf(&b, "%s/%s", dir, commands[i].name);
		if (symlink(gx, buf_str(&b)) && errno != EEXIST) {
			report_error("cannot make '%s': %s", buf_str(&b), strerror(errno));
			rc = EXIT_FAILED;
		}
	}
	buf_release(&b);
	return rc;
}

/* Where `make install` put the links: beside this program, else where it was configured to. */
static void find_folder(const char *gx, struct buf *b)
{
	static const char bin[] = "/bin/gx";
	size_t n = strlen(gx), k = sizeof bin - 1;
	struct stat st;

	if (n > k && !strcmp(gx + n - k, bin)) {
		buf_addf(b, "%.*s/libexec/gx/nix", (int)(n - k), gx);
		if (stat(buf_str(b), &st) == 0)
			return;
		buf_trim(b, 0);
	}
	buf_adds(b, LIBEXECDIR "/gx/nix");
}

enum { O_INSTALL = 1, O_AS };

static const struct option names_options[] = {
	{ O_INSTALL, 0, "install", "DIR", "Make links to gx by Nix's names in the folder DIR." },
	{ O_AS, 0, "as", "NAME", "Be gx by that name of Nix; all that comes after it is that program's." },
	{ 0 }
};
static const struct option_group names_groups[] = { { "Options", names_options }, { "Help", command_help_options }, { 0 } };
static const struct program names_program = {
	"gx nix-names", "the folder with Nix's names for gx",
	"gx nix-names\ngx nix-names --install DIR\ngx nix-names --as NAME [WORD ...]",
	"With it in PATH, nix, nix-build, nix-store and the others are gx:\n\n  PATH=$(gx nix-names):$PATH nix-build\n",
	names_groups
};

static int on_names_option(void *arg, int id, char **values)
{
	if (id == O_AS)
		return usage_error(&names_program, "'--as' comes before all else");
	*(const char **)arg = values[0];
	return 0;
}

static int run_as(int argc, char **argv)
{
	int rc = nix_main(verb_root()->verbs, argc, argv);

	return rc >= 0 ? rc : usage_error(&names_program, "'%s' is none of Nix's names for gx", argv[0]);
}

int nix_names_run(int argc, char **argv)
{
	const char *dir = NULL;
	struct command c = { .program = &names_program, .option = on_names_option, .arg = &dir };
	char gx[PATH_MAX];
	struct buf b = BUF_INIT;
	struct stat st;
	int rc;

	if (argc > 2 && !strcmp(argv[1], "--as"))
		return run_as(argc - 2, argv + 2);
	rc = command_read(&c, argc, argv, 0, 0, "");
	if (rc != COMMAND_GO)
		return rc;
	if (own_program(gx, sizeof gx))
		return command_end(&c, EXIT_FAILED);
	if (dir)
		return command_end(&c, link_names(dir, gx));
	find_folder(gx, &b);
	if (stat(buf_str(&b), &st))
		report_line("note: there is no '%s' yet; 'gx nix-names --install DIR' makes the links elsewhere", buf_str(&b));
	buf_addc(&b, '\n');
	return command_end(&c, command_print(&b));
}
