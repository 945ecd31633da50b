/* SPDX-License-Identifier: MIT
 *
 * --stats.
 */
#ifndef CLI_STATS_H
#define CLI_STATS_H

/* Prints what this evaluation cost as one JSON object on standard error. */
void stats_print(void);

#endif
