/* SPDX-License-Identifier: MIT
 *
 * gx completion: a script for each shell.  They know nothing of gx: each asks 'gx __complete' (cli/complete.h) for every
 * word, so that what is offered is what the gx that is called understands.
 */
#include "config.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/eval_main.h"
#include "cli/output.h"
#include "cli/verb.h"

#include <string.h>

/* A word ends at blanks only: bash's own words end at ':' and '=' too, and what it replaces begins after the last of them. */
static const char bash[] =
	"# bash completion for gx; made by 'gx completion bash'\n"
	"_gx() {\n"
	"	local words cur colon line dir\n"
	"	line=${COMP_LINE:0:COMP_POINT}\n"
	"	read -a words <<<\"$line\"\n"
	"	case $line in *[[:blank:]]) words+=('') ;; esac\n"
	"	cur=${words[${#words[@]} - 1]}\n"
	"	colon=${cur%\"${cur##*[:=]}\"}\n"
	"	COMPREPLY=()\n"
	"	while IFS=$'\\t' read -r line _; do\n"
	"		case $line in\n"
	"		@files) ;; # what -o default does when there is nothing else\n"
	"		@dirs)\n"
	"			while IFS= read -r dir; do\n"
	"				COMPREPLY+=(\"$(printf %q \"$dir\")/\")\n"
	"			done < <(compgen -d -- \"${cur#\"$colon\"}\")\n"
	"			;;\n"
	"		@commands) COMPREPLY+=($(compgen -c -- \"$cur\")) ;;\n"
	"		*) COMPREPLY+=(\"${line#\"$colon\"}\") ;;\n"
	"		esac\n"
	"	done < <(\"${words[0]}\" __complete -- \"${words[@]:1}\" 2>/dev/null)\n"
	"	case ${COMPREPLY[0]-} in *[/#.]) compopt -o nospace ;; esac\n"
	"}\n"
	"complete -o default -F _gx gx gxeval\n";

static const char zsh[] =
	"#compdef gx gxeval\n"
	"# zsh completion for gx; made by 'gx completion zsh'\n"
	"_gx() {\n"
	"	local -a lines plain\n"
	"	local line word\n"
	"	lines=(\"${(@f)$(${(Q)words[1]} __complete -- \"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\" 2>/dev/null)}\")\n"
	"	for line in $lines; do\n"
	"		case $line in\n"
	"		@files) compset -P '--*='; _files ;;\n"
	"		@dirs) compset -P '--*='; _files -/ ;;\n"
	"		@commands) _command_names -e ;;\n"
	"		*)\n"
	"			word=${line%%$'\\t'*}\n"
	"			plain+=(\"${word//:/\\\\:}${${line#\"$word\"}/$'\\t'/:}\")\n"
	"			;;\n"
	"		esac\n"
	"	done\n"
	"	(( $#plain )) && _describe gx plain\n"
	"}\n"
	"if [ \"$funcstack[1]\" = _gx ]; then _gx \"$@\"; else compdef _gx gx gxeval; fi\n";

static const char fish[] =
	"# fish completion for gx; made by 'gx completion fish'\n"
	"function __gx_complete\n"
	"	set -l words (commandline -opc)\n"
	"	set -l cur (commandline -ct)\n"
	"	set -l before (string match -r -- '^--[^=]*=' $cur; or echo)\n"
	"	set -l rest (string replace -r -- '^--[^=]*=' '' $cur)\n"
	"	for line in ($words[1] __complete -- $words[2..] \"$cur\" 2>/dev/null)\n"
	"		switch $line\n"
	"			case @files\n"
	"				printf '%s\\n' $before(__fish_complete_path \"$rest\")\n"
	"			case @dirs\n"
	"				printf '%s\\n' $before(__fish_complete_directories \"$rest\")\n"
	"			case @commands\n"
	"				complete -C \"$cur\"\n"
	"			case '*'\n"
	"				printf '%s\\n' $line\n"
	"		end\n"
	"	end\n"
	"end\n"
	"complete -c gx -f -a '(__gx_complete)'\n"
	"complete -c gxeval -f -a '(__gx_complete)'\n";

static const struct shell_script {
	const char *shell, *text;
} scripts[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

static const struct option_group groups[] = { { "Options", command_help_options }, { 0 } };

int completion_run(int argc, char **argv)
{
	static const struct program program = {
		"gx completion", "print what makes a shell complete gx's words", "gx completion bash|zsh|fish",
		"'make install' puts them where the shells look. By hand, for the shell that runs:\n"
		"\n"
		"  eval \"$(gx completion bash)\"\n"
		"  eval \"$(gx completion zsh)\"\n"
		"  gx completion fish | source\n", groups
	};
	struct command c = { .program = &program };
	int rc = command_read(&c, argc, argv, 1, 1, "the name of a shell");

	if (rc != COMMAND_GO)
		return rc;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
		if (!strcmp(c.operands[0], scripts[i].shell))
			return command_end(&c, output_write(scripts[i].text, strlen(scripts[i].text)));
	return command_end(&c, usage_error(&program, "there is completion for bash, zsh and fish, not for '%s'", c.operands[0]));
}

/* p: of a program without verbs */
static int offer(const struct program *p, int argc, char **argv)
{
	int first = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1, rc;
	struct buf b = BUF_INIT;

	if (first < argc && p)
		complete_program(&b, p, argv + first, (size_t)(argc - first));
	else if (first < argc)
		complete_words(&b, argv + first, (size_t)(argc - first));
	rc = output_write(buf_str(&b), b.len);
	buf_release(&b);
	return rc;
}

int complete_run(int argc, char **argv)
{
	return offer(NULL, argc, argv);
}

int complete_gxeval(int argc, char **argv)
{
	return offer(options_program(gxeval_main, "gxeval"), argc, argv);
}
