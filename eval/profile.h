/* SPDX-License-Identifier: MIT
 *
 * Sampling profiler of evaluation: which functions were being called, outermost first.
 */
#ifndef EVAL_PROFILE_H
#define EVAL_PROFILE_H

#include <stdio.h>

/* Starts taking a sample of this thread's calls every `interval_us` microseconds of CPU time. Call after
 * eval_init; once a process. */
void profile_start(unsigned interval_us);

/* Stops and writes folded stacks ("outer;inner count" a line, as flame graph tools read them) to out. */
void profile_stop(FILE *out);

#endif
