/* SPDX-License-Identifier: MIT
 *
 * Machines that builds are given to, as the setting 'builders' lists them.
 *
 * Each stands on a line, or before a ';'; what is left out at the end, or is '-', is as usual:
 *
 *     STORE SYSTEMS SSH-KEY JOBS SPEED FEATURES NEEDED HOST-KEY
 *
 *     STORE     ssh-ng://HOST, unix://PATH and so on (remote/address.h), the folder of a store, or the name of a host
 *     SYSTEMS   it builds for, with commas between; this machine's
 *     SSH-KEY   the file with the key that lets in there
 *     JOBS      builds at once; 1
 *     SPEED     as a number: of those that are free, the fastest is asked; 1
 *     FEATURES  what requiredSystemFeatures may ask for there, with commas between
 *     NEEDED    likewise, and only what asks for one of all these is built there
 *     HOST-KEY  the public key of the host in base64, as ssh knows it
 *
 * '@FILE' stands for what is in a file; one that is not there names none.  What begins with '#' is a comment.
 */
#ifndef REMOTE_MACHINES_H
#define REMOTE_MACHINES_H

#include "build/build.h"

struct machines;

/* What a text names.  ERR_INVALID for what makes no sense. */
int machines_parse(struct machines **out, const char *text, struct err *e);
void machines_free(struct machines *m);

/* For struct build_settings; lives as long as the machines.  NULL when there are none. */
const struct build_machines *machines_for_builds(const struct machines *m);

#endif
