/* SPDX-License-Identifier: MIT
 *
 * What settings say of binary caches, for the whole process; texts are borrowed for good.
 */
#ifndef CACHE_CACHE_SETTINGS_H
#define CACHE_CACHE_SETTINGS_H

#include <stdint.h>

struct cache_settings {
	const char *substituters;      /* addresses with blanks between; NULL: the usual ones */
	const char *trusted_keys;      /* public keys with blanks between; NULL: the usual ones */
	const char *secret_key_files;  /* what is built here is signed with these; NULL: none */
	int substitute;		       /* ask at all */
	int require_sigs;
	int fallback;		       /* build what cannot be fetched though a cache said so */
	int always_allow;	       /* also what says allowSubstitutes = false */
	uint32_t positive_ttl, negative_ttl, meta_ttl; /* seconds */
	uint32_t max_jobs;	       /* archives at once */
};

/* Filled with the defaults. */
extern struct cache_settings cache_settings;

/* What is used where nothing else is said: Nix's own cache and its key, for a store whose directory is /nix/store. */
#define USUAL_SUBSTITUTERS "https://cache.nixos.org/"
#define USUAL_KEYS "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="

#endif
