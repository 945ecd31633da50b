/* SPDX-License-Identifier: MIT
 *
 * Every limit on recursion or size over user data, in one place, with its reason.
 * Each has a test: under tests/golden/limit/, or where it is about formats and fetching in tests/unit/.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* C stack of the evaluating thread, lazily mapped.  About 200 bytes a level of evaluation, so
 * more than a million nested calls. */
#define LIMIT_EVAL_STACK ((size_t)512 << 20)

/* Kept free at the end of that stack for what runs after an overflow is noticed. */
#define LIMIT_EVAL_STACK_RESERVE ((size_t)1 << 20)

/* Calls within calls, unless the setting max-call-depth says otherwise: what fits on that stack. Nix stops at 10,000. */
#define LIMIT_CALL_DEPTH 1000000

/* Nesting of syntax (lists, parentheses, operators on the right of others) the parser and the passes over the tree accept.
 * Bison's own stack is on the heap; the passes recurse on the C stack.  Chains to the left, as `1 + 1 + 1`, have no limit. */
#define LIMIT_PARSE_DEPTH 10000

/* Nesting of JSON and TOML documents. */
#define LIMIT_JSON_DEPTH 10000

/* A limit as text, for messages that are literals. */
#define LIMIT_TEXT_(n) #n
#define LIMIT_TEXT(n) LIMIT_TEXT_(n)

/* Nesting of a value that is printed: far more than data has, and reached long before the end of the stack. */
#define LIMIT_PRINT_DEPTH 100000

/* Nesting of directories in a NAR, as in Nix. */
#define LIMIT_NAR_DEPTH 64

/* Length of a chain of derivations read from a store, each an input of the one before; nixpkgs has chains of some hundreds. */
#define LIMIT_DRV_DEPTH 10000

/* The text of one derivation; the largest of nixpkgs have some MB. */
#define LIMIT_DRV_TEXT ((size_t)256 << 20)

/* Symbolic links that are followed for one path: more is a circle. */
#define LIMIT_LINKS 1024

/* Longest string value: lengths are 32-bit. */
#define LIMIT_STRING_LENGTH 0xfffffff0u

/* Steps one regular expression match may take for each byte of input and state of the automaton is
 * bounded by construction; this bounds the automaton. */
#define LIMIT_REGEX_STATES 100000

/* Members of a zip file, and bytes of its directory: memory that its reader needs before it looks at any of them.  The
 * largest modules have some ten thousand files. */
#define LIMIT_ZIP_ENTRIES 1000000
#define LIMIT_ZIP_DIRECTORY ((uint64_t)256 << 20)

/* A Go module: the zip and its unpacked files; go.mod and LICENSE.  Part of the format (golang.org/x/mod/zip). */
#define LIMIT_GO_MODULE ((uint64_t)500 << 20)
#define LIMIT_GO_FILE ((uint64_t)16 << 20)

/* What an index of Python packages says of one: those with the most files have 5 MB of links. */
#define LIMIT_PYTHON_INDEX ((uint64_t)64 << 20)

/* What an archive from elsewhere may unpack to unless the caller says otherwise, members and bytes: far more than any source
 * release, far less than a disk. */
#define LIMIT_ARCHIVE_ENTRIES 4000000
#define LIMIT_ARCHIVE_SIZE ((uint64_t)64 << 30)

/* One that lies in a file, packed: this many bytes for each of the file, or as many as the second says.  Sources reach 20,
 * gzip and its kin make 1000 and more of nothing but zeros. */
#define LIMIT_ARCHIVE_RATIO 200
#define LIMIT_ARCHIVE_SMALL ((uint64_t)256 << 20)

/* An archive as it is fetched. */
#define LIMIT_ARCHIVE_PACKED ((uint64_t)16 << 30)

/* Submodules in submodules: git itself has no limit, and nobody needs more. */
#define LIMIT_SUBMODULES 32

/* Depth of directories in an archive: what a NAR can hold. */
#define LIMIT_ARCHIVE_DEPTH LIMIT_NAR_DEPTH

/* Flakes: inputs of inputs, of which the deepest known graphs have some ten levels; and all inputs of a graph, each counted for
 * every way that leads to it. */
#define LIMIT_FLAKE_DEPTH 200
#define LIMIT_FLAKE_INPUTS 20000
/* A registry is some hundred entries of two hundred bytes; names lead to names through a few of them. */
#define LIMIT_REGISTRY_FILE (4 << 20)
#define LIMIT_REGISTRY_STEPS 100

/* Programs kept between runs (fetch/pack.h): bytes of a pack; packs, and their bytes together; how often a pack is written while
 * an entry is not used before it goes. */
#define LIMIT_PACK ((uint64_t)64 << 20)
#define LIMIT_PACKS 64
#define LIMIT_PACKS_SIZE ((uint64_t)512 << 20)
#define LIMIT_PACK_UNUSED 16

/* What evaluations came to, kept between runs (fetch/answers.h): bytes of an answer with its trail, of which a tree of a hundred
 * thousand files needs some 20 MB; answers, and their bytes together. */
#define LIMIT_ANSWER ((uint64_t)64 << 20)
#define LIMIT_ANSWERS 1024
#define LIMIT_ANSWERS_SIZE ((uint64_t)256 << 20)

/* What a binary cache says of one object: twenty thousand references and more. */
#define LIMIT_NARINFO (2 << 20)

/* What the other side of a daemon's connection may send: one text, of which a derivation or a log is the largest; members of a
 * list, of which all paths of a store are the largest. */
#define LIMIT_WIRE_TEXT LIMIT_DRV_TEXT
#define LIMIT_WIRE_LIST 10000000

/* Large files of git repositories that are kept (fetch/git_lfs.h): how many, and their bytes together. */
#define LIMIT_LFS_KEPT 10000
#define LIMIT_LFS_KEPT_SIZE ((uint64_t)4 << 30)

/* Output of a program that is kept in memory (git's lists of files). */
#define LIMIT_PROGRAM_OUTPUT ((size_t)1 << 30)

#endif
