/* SPDX-License-Identifier: MIT
 *
 * The main of a fuzz target where there is no fuzzer: runs every file of its corpus, $srcdir/tests/fuzz/corpus/X
 * for fuzz_X, and files given as arguments, and reports as one test.  A crash in it is a bug come back.
 */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t n = 0, cap = 0, got;

	if (!f) {
		perror(path);
		return 1;
	}
	do {
		uint8_t *p = realloc(data, cap = cap ? cap * 2 : 4096);

		if (!p)
			abort();
		data = p;
		got = fread(data + n, 1, cap - n, f);
		n += got;
	} while (got);
	fclose(f);
	fprintf(stderr, "%s\n", path);
	/* Its own size exactly, so that a sanitizer sees a read past the end. */
	uint8_t *exact = realloc(data, n ? n : 1);

	LLVMFuzzerTestOneInput(exact ? exact : data, n);
	free(exact ? exact : data);
	return 0;
}

int main(int argc, char **argv)
{
	const char *src = getenv("srcdir");
	char dir[4096], path[8192];
	int failed = 0, n = 0;
	struct dirent *de;

	for (int i = 1; i < argc; i++, n++)
		failed |= run(argv[i]);
	const char *target = strstr(argv[0], "fuzz_");

	while (target && strstr(target + 1, "fuzz_"))
		target = strstr(target + 1, "fuzz_");
	snprintf(dir, sizeof dir, "%s/tests/fuzz/corpus/%s", src ? src : ".", target ? target + strlen("fuzz_") : "");
	DIR *d = opendir(dir);

	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", dir, de->d_name);
			failed |= run(path);
			n++;
		}
	if (d)
		closedir(d);
	if (!n)
		failed = 1;
	printf("%sok 1 - the %d files of the corpus\n", failed ? "not " : "", n);
	return failed;
}
