/* SPDX-License-Identifier: MIT
 *
 * What a shell offers for a word of a command line of gx or gxeval.
 *
 * A line for each candidate: the word, then perhaps a tab and what it means.  Lines that begin with '@' ask the shell for
 * what it knows better: @files, @dirs, @commands.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "base/buf.h"
#include "cli/options.h"
#include "flake/call.h"

/* Candidates for the last of the words after "gx", of which there is at least one (it may be empty). */
void complete_words(struct buf *b, char *const *words, size_t n);

/* The same for the word `at` of n, those behind it being there already.  Returns 1 when attributes were asked for. */
int complete_word_at(struct buf *b, char *const *words, size_t n, size_t at);

/* The same for a program that has no verbs: after "gxeval". */
void complete_program(struct buf *b, const struct program *p, char *const *words, size_t n);

/* `gxeval __complete` */
int complete_gxeval(int argc, char **argv);

/* The attributes of the file or, for NULL, of the flake here that an attribute path may go on with. */
void complete_paths(struct buf *b, const char *word, const char *file);

/* The inputs of the flakes (one at least), with theirs as they are locked. */
void complete_inputs(struct buf *b, const char *word, char *const *flakes, size_t n);

/* The attributes of a flake that a reference such as ".#he" may go on with, without the network and in a second or two;
 * nothing when that is not enough.  Of these three, once a process. */
void complete_attributes(struct buf *b, const char *word, enum flake_want want);

/* The names that gx doc knows, as a word may go on.  Once a process. */
void complete_documented(struct buf *b, const char *word);

/* Appends a candidate when it begins as word does; doc may be NULL. */
void complete_offer(struct buf *b, const char *word, const char *candidate, const char *doc);

#endif
