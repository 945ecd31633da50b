/* SPDX-License-Identifier: MIT
 *
 * build/apt_sources: which mirrors of Debian apt's files name.
 */
#include "config.h"
#include "build/apt_sources.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"

static void expect(struct apt_sources *s, const char *debian, const char *security)
{
	const struct words *lists[] = { &s->debian, &s->security };
	const char *wanted[] = { debian, security };

	for (int i = 0; i < 2; i++) {
		struct buf b = BUF_INIT;

		for (size_t k = 0; k < lists[i]->n; k++)
			buf_addf(&b, "%s%s", k ? " " : "", lists[i]->v[k]);
		assert_string_equal(buf_str(&b), wanted[i]);
		buf_release(&b);
	}
	apt_sources_release(s);
}

static void lines(void **state)
{
	struct apt_sources s = { 0 };

	(void)state;
	apt_sources_lines(&s, SLICE("# deb http://no/debian bookworm main\n"
				    "deb http://a/debian/ bookworm main contrib\n"
				    "deb-src http://src/debian bookworm main\n"
				    "  deb\t[ arch=amd64 signed-by=/x.gpg ] https://b/debian\tsid main\n"
				    "deb [trusted=yes] http://s/debian-security bookworm-security main # and a comment\n"
				    "deb http://old bullseye/updates main\n"
				    "deb http://a/debian bookworm-updates main\n"
				    "deb http://ubuntu.example jammy main\n"
				    "deb http://node.example nodistro main\n"
				    "deb cdrom:[Debian]/ bookworm main\n"
				    "deb [never closed http://c/debian bookworm\n"
				    "deb http://none\n"
				    "deb\n"
				    "deb file:/srv/debian trixie main"));
	expect(&s, "http://a/debian https://b/debian file:///srv/debian", "http://s/debian-security http://old");
}

static void stanzas(void **state)
{
	struct apt_sources s = { 0 };

	(void)state;
	apt_sources_stanzas(&s, SLICE("Types: deb\n"
				      "# http://comment/debian\n"
				      "URIs: http://a/debian\n"
				      "  http://b/debian/\n"
				      "suites: bookworm bookworm-updates\n"
				      "Components: main\n"
				      "\n"
				      "Types: deb\nURIs: http://s/debian-security\nSuites: bookworm-security\n"
				      " \n"
				      "Types: deb-src\nURIs: http://src\nSuites: bookworm\n\n"
				      "Enabled: no\nTypes: deb\nURIs: http://off\nSuites: bookworm\n\n"
				      "Types: deb\nURIs: http://ubuntu\nSuites: noble noble-security\n\n"
				      " http://belongs/nowhere\n\n"
				      "Types: deb\nSuites: sid\n\n"
				      "Types: deb\nURIs: file:///srv\nSuites: unstable"));
	expect(&s, "http://a/debian http://b/debian file:///srv", "http://s/debian-security");
}

static void no_text(void **state)
{
	struct apt_sources s = { 0 };

	(void)state;
	apt_sources_lines(&s, SLICE(""));
	apt_sources_stanzas(&s, SLICE("\n\n#\n:\nTypes:\n"));
	apt_sources_read(&s, "/nonexistent");
	apt_sources_read(&s, "");
	expect(&s, "", "");
}

static void put(const char *path, const char *text)
{
	assert_int_equal(file_replace(path, text, strlen(text), 0600), 0);
}

static void folder(void **state)
{
	char dir[] = "/tmp/apt-sources-XXXXXX", old[4096];
	struct apt_sources s = { 0 };

	(void)state;
	assert_non_null(getcwd(old, sizeof old));
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("sources.list.d", 0700), 0);
	put("sources.list", "deb http://first bookworm main\n");
	put("sources.list.d/b.list", "deb http://third bookworm main\n");
	put("sources.list.d/a.sources", "Types: deb\nURIs: http://second\nSuites: bookworm\n");
	put("sources.list.d/c.list.disabled", "deb http://off bookworm main\n");
	apt_sources_read(&s, dir);
	expect(&s, "http://first http://second http://third", "");
	unlink("sources.list");
	unlink("sources.list.d/b.list");
	unlink("sources.list.d/a.sources");
	unlink("sources.list.d/c.list.disabled");
	rmdir("sources.list.d");
	assert_int_equal(chdir(old), 0);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(stanzas),
		cmocka_unit_test(no_text),
		cmocka_unit_test(folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
