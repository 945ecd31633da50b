/* SPDX-License-Identifier: MIT
 *
 * What apt knows on this machine.
 */
#ifndef CLI_APT_H
#define CLI_APT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/words.h"

/* Appends a line for each version of these packages, and each list that has it:
 * "NAME | VERSION | ADDRESS SUITE/COMPONENT ARCH Packages". */
int apt_versions(const struct words *names, struct buf *out, struct err *e);

#endif
