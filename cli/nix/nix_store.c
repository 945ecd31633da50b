/* SPDX-License-Identifier: MIT
 *
 * nix-store: one operation, its options and operands.  What a verb of gx does as well, it does.
 */
#include "config.h"
#include "base/fdio.h"
#include "cli/nix/nix.h"
#include "cli/nix/nix_store_files.h"
#include "cli/nix/nix_store_query.h"
#include "cli/output.h"
#include "cli/report.h"
#include "format/sign.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

enum operation {
	REALISE = 1, ADD, ADD_FIXED, QUERY, DELETE, GC, VERIFY, VERIFY_PATH, REPAIR_PATH, DUMP, RESTORE, EXPORT, IMPORT, PRINT_ENV,
	READ_LOG, DUMP_DB, LOAD_DB, REGISTER_VALIDITY, CHECK_VALIDITY, PRINT_FIXED_PATH, OPTIMISE, INIT, SERVE, GENERATE_KEY,
	LAST_OPERATION,

	ADD_ROOT, INDIRECT, DRY_RUN, CHECK, REPAIR, CONTENTS, IGNORE_LIVENESS, PRINT_ROOTS, PRINT_LIVE, PRINT_DEAD, DELETE_DEAD,
	MAX_FREED, RECURSIVE, INVALID, HASH_GIVEN, REREGISTER, USE_OUTPUT, INCLUDE_OUTPUTS, FORCE_REALISE, NO_GC_WARNING,
	IGNORE_UNKNOWN, WRITE,

	FIRST_QUERY /* and enum query_kind */
};

static const struct option operations[] = {
	{ REALISE, 'r', "realise", NULL, "Build derivations and print their outputs." },
	{ REALISE, 0, "realize", NULL, NULL },
	{ ADD, 0, "add", NULL, "Copy files and folders to the store." },
	{ ADD_FIXED, 0, "add-fixed", NULL,
	  "The same, named by the flat hash of an algorithm: --add-fixed ALGO FILE...; --recursive." },
	{ PRINT_FIXED_PATH, 0, "print-fixed-path", NULL, "Print the path of ALGO HASH NAME; --recursive." },
	{ QUERY, 'q', "query", NULL, "Print what the store knows about objects." },
	{ DELETE, 0, "delete", NULL, "Delete objects that nothing needs." },
	{ GC, 0, "gc", NULL, "Delete all that nothing needs." },
	{ VERIFY, 0, "verify", NULL, "Look whether objects are there; --check-contents, --repair." },
	{ VERIFY_PATH, 0, "verify-path", NULL, "Look whether the contents of objects are what they were." },
	{ REPAIR_PATH, 0, "repair-path", NULL, "Make damaged objects again." },
	{ DUMP, 0, "dump", NULL, "Print the archive of a file or folder." },
	{ RESTORE, 0, "restore", NULL, "Unpack the archive on standard input." },
	{ EXPORT, 0, "export", NULL, "Print objects as one stream." },
	{ IMPORT, 0, "import", NULL, "Add the objects of such a stream on standard input." },
	{ PRINT_ENV, 0, "print-env", NULL, "Print the environment of a derivation as shell text." },
	{ READ_LOG, 'l', "read-log", NULL, "Print the logs of builds." },
	{ DUMP_DB, 0, "dump-db", NULL, "Print the rows of the database as text." },
	{ LOAD_DB, 0, "load-db", NULL, "Add such rows from standard input; the objects lie in the store already." },
	{ REGISTER_VALIDITY, 0, "register-validity", NULL, "The same without hashes; --hash-given." },
	{ CHECK_VALIDITY, 0, "check-validity", NULL, "Fail when an object is not valid; --print-invalid." },
	{ OPTIMISE, 0, "optimise", NULL, "Keep equal files once." },
	{ OPTIMISE, 0, "optimize", NULL, NULL },
	{ GENERATE_KEY, 0, "generate-binary-cache-key", NULL,
	  "Make a key to sign with: --generate-binary-cache-key NAME SECRET-FILE PUBLIC-FILE." },
	{ INIT, 0, "init", NULL, NULL },
	{ SERVE, 0, "serve", NULL, "Serve one client, on standard input and output: what ssh:// starts; --write." },
	{ 0 }
};

static const struct option queries[] = {
	{ FIRST_QUERY + QUERY_OUTPUTS, 0, "outputs", NULL, "The outputs of derivations (this is the default)." },
	{ FIRST_QUERY + QUERY_REQUISITES, 'R', "requisites", NULL, "All that objects need, them included." },
	{ FIRST_QUERY + QUERY_REFERENCES, 0, "references", NULL, "What they refer to." },
	{ FIRST_QUERY + QUERY_REFERRERS, 0, "referrers", NULL, "What refers to them." },
	{ FIRST_QUERY + QUERY_REFERRERS_CLOSURE, 0, "referrers-closure", NULL, "All that needs them." },
	{ FIRST_QUERY + QUERY_DERIVER, 'd', "deriver", NULL, "The derivation that made them." },
	{ FIRST_QUERY + QUERY_VALID_DERIVERS, 0, "valid-derivers", NULL, "The derivations here that make them." },
	{ FIRST_QUERY + QUERY_BINDING, 'b', "binding", "NAME", "The variable NAME of derivations." },
	{ FIRST_QUERY + QUERY_HASH, 0, "hash", NULL, "The hash of their archives." },
	{ FIRST_QUERY + QUERY_SIZE, 0, "size", NULL, "The size of their archives." },
	{ FIRST_QUERY + QUERY_TREE, 0, "tree", NULL, "What they need, as a tree." },
	{ FIRST_QUERY + QUERY_GRAPH, 0, "graph", NULL, "The same for Graphviz." },
	{ FIRST_QUERY + QUERY_GRAPHML, 0, "graphml", NULL, "The same as GraphML." },
	{ FIRST_QUERY + QUERY_ROOTS, 0, "roots", NULL, "What keeps them from being collected." },
	{ FIRST_QUERY + QUERY_RESOLVE, 0, "resolve", NULL, "Where links lead to." },
	{ USE_OUTPUT, 'u', "use-output", NULL, "Of a derivation, ask about its outputs." },
	{ INCLUDE_OUTPUTS, 0, "include-outputs", NULL, "With --requisites: outputs of derivations too." },
	{ FORCE_REALISE, 'f', "force-realise", NULL, "Build the derivations first." },
	{ 0 }
};

static const struct option others[] = {
	{ ADD_ROOT, 0, "add-root", "LINK", "Make LINK a link to the result, which keeps it from being collected." },
	{ INDIRECT, 0, "indirect", NULL, NULL },
	{ DRY_RUN, 0, "dry-run", NULL, "Only say what would be built." },
	{ CHECK, 0, "check", NULL, "Build once more and compare." },
	{ REPAIR, 0, "repair", NULL, "Make what is damaged again." },
	{ CONTENTS, 0, "check-contents", NULL, NULL },
	{ IGNORE_LIVENESS, 0, "ignore-liveness", NULL, NULL },
	{ PRINT_ROOTS, 0, "print-roots", NULL, NULL },
	{ PRINT_LIVE, 0, "print-live", NULL, NULL },
	{ PRINT_DEAD, 0, "print-dead", NULL, NULL },
	{ MAX_FREED, 0, "max-freed", "BYTES", NULL },
	{ RECURSIVE, 0, "recursive", NULL, NULL },
	{ INVALID, 0, "print-invalid", NULL, NULL },
	{ HASH_GIVEN, 0, "hash-given", NULL, NULL },
	{ REREGISTER, 0, "reregister", NULL, NULL },
	{ NO_GC_WARNING, 0, "no-gc-warning", NULL, NULL },
	{ IGNORE_UNKNOWN, 0, "ignore-unknown", NULL, NULL },
	{ WRITE, 0, "write", NULL, NULL },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};

static const struct option_group groups[] = { { "Operations", operations },
					      { "Questions of --query", queries },
					      { "Options", others },
					      { 0 } };
static const struct program program = { "nix-store", "look into the store and change it", "nix-store OPERATION [options] [PATH...]",
					NULL, groups };

struct line {
	struct nix_line l; /* first */
	enum operation op;
	unsigned long long flags; /* a bit for each option that takes no value */
	struct query query;
	int asked; /* how many questions */
	const char *root, *max_freed;
};

#define FLAG(x) (1ull << (x))

static int has(const struct line *s, enum operation flag)
{
	return (s->flags & FLAG(flag)) != 0;
}

static int on_option(struct nix_line *l, int id, char **values)
{
	struct line *s = (struct line *)l;

	if (id < LAST_OPERATION) {
		if (s->op && s->op != (enum operation)id)
			return usage_error(&program, "nix-store does one thing at a time");
		s->op = (enum operation)id;
	} else if (id > FIRST_QUERY) {
		s->query.kind = (enum query_kind)(id - FIRST_QUERY);
		s->query.binding = values[0];
		s->asked++;
	} else if (id == ADD_ROOT) {
		s->root = values[0];
	} else if (id == MAX_FREED) {
		s->max_freed = values[0];
	} else {
		s->flags |= FLAG(id);
	}
	return 0;
}

/* --- what verbs of gx do --- */

static int run_verb(struct line *s, const char *verb, const char *const *options)
{
	struct words more = { NULL, 0, 0 };
	int rc;

	for (; *options; options++)
		if (**options)
			words_add(&more, *options);
	for (size_t i = 0; i < s->l.operands.n; i++)
		words_add(&more, s->l.operands.v[i]);
	rc = nix_run_verb(&s->l, verb, &more);
	words_release(&more);
	return rc;
}

#define RUN(verb, ...) run_verb(s, verb, (const char *const[]){ __VA_ARGS__, NULL })

/* Nix collects with these as its own options; those that choose what to do exclude each other. */
static int collect(struct line *s)
{
	if (has(s, PRINT_ROOTS))
		return RUN("store roots", "");
	return RUN("store gc", has(s, PRINT_LIVE) ? "--print-live" : has(s, PRINT_DEAD) ? "--print-dead" : "",
		   s->max_freed ? "--max" : "", s->max_freed ? s->max_freed : "");
}

static int realise_all(struct line *s)
{
	/* Nix knows "PATH!out,dev" from before there was '^'. */
	for (size_t i = 0; i < s->l.operands.n; i++) {
		char *mark = strrchr(s->l.operands.v[i], '!');

		if (mark && !strchr(mark, '/'))
			*mark = '^';
	}
	return RUN("build", "--print-out-paths", s->root ? "--out-link" : "--no-link", s->root ? s->root : "",
		   has(s, DRY_RUN) ? "--dry-run" : "", has(s, CHECK) ? "--rebuild" : "", has(s, REPAIR) ? "--repair" : "");
}

/* The secret is this user's alone. */
static int generate_key(struct line *s)
{
	char **v = s->l.operands.v;
	struct buf secret = BUF_INIT, public = BUF_INIT;
	struct secret_key key;
	struct err e = ERR_INIT;
	int rc;

	if (s->l.operands.n != 3)
		return usage_error(&program, "'--generate-binary-cache-key' needs a name and two files");
	rc = secret_key_generate(slice_of(v[0]), &key, &e);
	if (!rc) {
		secret_key_add(&secret, &key);
		secret_key_add_public(&public, &key);
		secret_key_release(&key);
	}
	if (!rc && file_replace(v[2], public.p, public.len, 0666))
		rc = err_errno(&e, "cannot write '%s'", v[2]);
	if (!rc && file_replace(v[1], secret.p, secret.len, 0600))
		rc = err_errno(&e, "cannot write '%s'", v[1]);
	buf_wipe(&secret);
	buf_release(&public);
	return rc ? command_fail(&e) : EXIT_DONE;
}

static int add_fixed(struct line *s)
{
	struct words *w = &s->l.operands;
	struct words files = { NULL, 0, 0 };
	int rc;

	if (!w->n)
		return usage_error(&program, "'--add-fixed' needs an algorithm and files");
	words_addf(&files, "--mode=%s", has(s, RECURSIVE) ? "nar" : "flat");
	words_addf(&files, "--hash-algo=%s", w->v[0]);
	for (size_t i = 1; i < w->n; i++)
		words_add(&files, w->v[i]);
	rc = nix_run_verb(&s->l, "store add", &files);
	words_release(&files);
	return rc;
}

/* --- what none does --- */

static int ask(struct line *s)
{
	struct command c = { .program = &program };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int rc;

	if (s->asked > 1)
		return usage_error(&program, "one question at a time");
	if (!s->query.kind)
		s->query.kind = QUERY_OUTPUTS;
	s->query.use_output = has(s, USE_OUTPUT) || has(s, FORCE_REALISE);
	s->query.include_outputs = has(s, INCLUDE_OUTPUTS);
	if ((rc = nix_open(&c, &s->l, 1)))
		return rc;
	if (query_answer(c.store, &s->query, s->l.operands.v, s->l.operands.n, &out, &e)) {
		buf_release(&out);
		return command_end(&c, command_fail(&e));
	}
	return command_end(&c, command_print(&out));
}

static int do_files(struct line *s)
{
	struct command c = { .program = &program };
	struct files_request r = { .operands = s->l.operands.v, .n = s->l.operands.n, .recursive = has(s, RECURSIVE),
				   .print_invalid = has(s, INVALID), .hash_given = has(s, HASH_GIVEN) || s->op == LOAD_DB };
	static int (*const run[])(struct store *s, const struct files_request *r, struct buf *out, struct err *e) = {
		[EXPORT] = files_export, [IMPORT] = files_import, [PRINT_ENV] = files_print_env, [DUMP_DB] = files_dump_db,
		[LOAD_DB] = files_register, [REGISTER_VALIDITY] = files_register, [CHECK_VALIDITY] = files_check_validity,
		[PRINT_FIXED_PATH] = files_print_fixed_path, [OPTIMISE] = files_optimise, [INIT] = files_init
	};
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int reading = s->op == EXPORT || s->op == PRINT_ENV || s->op == DUMP_DB || s->op == CHECK_VALIDITY;
	int rc = nix_open(&c, &s->l, reading), failed;

	if (rc)
		return rc;
	failed = run[s->op](c.store, &r, &out, &e);
	rc = command_print(&out);
	return command_end(&c, failed < 0 ? command_fail(&e) : failed ? EXIT_FAILED : rc);
}

static int run_operation(struct line *s)
{
	switch (s->op) {
	case REALISE: return realise_all(s);
	case ADD: return RUN("store add", "");
	case ADD_FIXED: return add_fixed(s);
	case QUERY: return ask(s);
	case DELETE: return RUN("store delete", has(s, IGNORE_LIVENESS) ? "--ignore-liveness" : "");
	case GC: return collect(s);
	case VERIFY:
		return RUN("store verify", "--no-trust", has(s, CONTENTS) ? "" : "--no-contents", has(s, REPAIR) ? "--repair" : "");
	case VERIFY_PATH: return RUN("store verify", "--no-trust");
	case REPAIR_PATH: return RUN("store verify", "--no-trust", "--repair");
	case DUMP: return RUN("nar pack", "");
	case RESTORE:
		return s->l.operands.n == 1 ? files_restore(s->l.operands.v[0]) :
					      usage_error(&program, "'--restore' needs the name of what to make");
	case READ_LOG: return RUN("log", "");
	case GENERATE_KEY: return generate_key(s);
	case SERVE:
		return s->l.operands.n ? usage_error(&program, "'--serve' takes no operand") :
					 nix_serve(s->l.store, has(s, WRITE));
	default: return do_files(s);
	}
}

int nix_store_run(int argc, char **argv)
{
	struct line s = { .l = { .program = &program, .option = on_option } };
	int rc = nix_line_read(&s.l, argc, argv);

	if (rc == COMMAND_GO)
		rc = s.op ? run_operation(&s) : usage_error(&program, "no operation was named");
	nix_line_release(&s.l);
	return rc;
}
