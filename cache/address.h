/* SPDX-License-Identifier: MIT
 *
 * What people write for a binary cache: an address and, behind '?', how it is to be used.
 *
 *     file:///DIR, http(s)://HOST/PATH, s3://BUCKET[/PREFIX]
 *     local, auto, /DIR     a store in a folder, from which objects are only taken; its parameters stand there as well
 *     priority=N            smaller is asked first
 *     trusted=true          what it has needs no signature
 *     want-mass-query=BOOL  (of Nix; changes nothing)
 *     compression=NAME, compression-level=N, parallel-compression=BOOL, write-nar-listing=BOOL, secret-key=FILE, secret-keys=FILE
 *                           when it is filled
 *     region, endpoint, scheme, profile      of S3
 */
#ifndef CACHE_ADDRESS_H
#define CACHE_ADDRESS_H

#include "base/err.h"
#include "format/compress.h"

enum cache_kind { CACHE_FILE, CACHE_HTTP, CACHE_S3, CACHE_STORE };

/* Strings are malloc'd. */
struct cache_address {
	enum cache_kind kind;
	char *base;  /* a folder; the address of a store; or an address, with its credentials, without a slash at the end */
	char *shown; /* as messages have it: without parameters and credentials */
	int priority;	     /* -1: as the cache says */
	int trusted;
	enum compression compression;
	int level;    /* negative: the usual one */
	int parallel; /* compress on all cores */
	int listing;  /* write .ls files */
	char *secret_keys; /* files, with commas between; NULL for none */
	char *region, *profile; /* S3; NULL where it is not said */
};

/* 1 when the text is an address of a kind of cache. */
int cache_address_is(const char *text);

/* ERR_INVALID; nothing to release then. */
int cache_address_parse(const char *text, struct cache_address *out, struct err *e);
void cache_address_release(struct cache_address *a);

#endif
