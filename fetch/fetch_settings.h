/* SPDX-License-Identifier: MIT
 *
 * What settings say of fetching, for the whole process.  Set before the first transfer; texts are borrowed for good.
 */
#ifndef FETCH_FETCH_SETTINGS_H
#define FETCH_FETCH_SETTINGS_H

#include <stdint.h>

struct fetch_settings {
	const char *netrc_file;	   /* NULL: $NETRC, else ~/.netrc */
	const char *ca_file;	   /* NULL: as the environment says, else the system's */
	const char *access_tokens; /* "host=token …", NULL: none */
	const char *go_archives;   /* the address below which releases of Go lie */
	const char *crates_registry; /* where crates of Rust lie; NULL: as cargo has it (fetch/crates.h) */
	const char *apt_folder;	   /* apt's sources of packages, for who is after one of Debian; "": they are not read */
	const char *npm_registry;  /* the address of a registry of npm packages; NULL: as npm has it (fetch/npm.h) */
	const char *python_index;  /* the address of an index of Python packages; NULL: as pip has it (fetch/pyindex.h) */
	const char *hashed_mirrors; /* addresses that have files by their hash, blanks between; NULL: none */
	int allow_dirty, warn_dirty; /* of working trees with changes */
	uint32_t connect_s;	   /* time to connect */
	uint32_t stall_s;	   /* without a byte for so long: given up */
	uint32_t attempts;	   /* at most so many for one transfer */
	uint32_t per_host;	   /* connections to one host; 0: any number */
	uint32_t large_tree;	   /* bytes of a tree that is told of (fetch/large_tree.h); 0: none is */
};

/* Filled with the defaults. */
extern struct fetch_settings fetch_settings;

#endif
