/* SPDX-License-Identifier: MIT
 *
 * Buckets of S3 and what is compatible with it: requests are signed (AWS signature 4, by libcurl) with the credentials of the
 * environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) or of a profile in ~/.aws/credentials
 * (AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE).  Without any, a bucket is read as everybody may.
 */
#ifndef CACHE_S3_H
#define CACHE_S3_H

#include "cache/caches.h"

struct s3_credentials;

/* Fills what lets a request in; found once for each cache, and kept in it.  ERR_INVALID for a profile that is not there. */
int s3_sign(struct binary_cache *k, struct transfer_request *r, struct err *e);

void s3_credentials_free(struct s3_credentials *s);

#endif
