/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "fetch/client.h"
#include "base/fdio.h"
#include "fetch/program.h"

#include <fcntl.h>
#include <unistd.h>

int client_file(const char *path, int (*read)(struct slice text, struct buf *out), struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), found = 0;
	struct buf text = BUF_INIT;

	if (fd >= 0 && !fd_read_all(fd, &text))
		found = read((struct slice){ buf_str(&text), text.len }, out);
	if (fd >= 0)
		close(fd);
	buf_release(&text);
	return found;
}

void client_answer(const char *const *question, size_t n, struct buf *out)
{
	struct words argv = { 0 };
	struct err ignored = ERR_INIT;
	size_t start = out->len;

	for (size_t i = 0; i < n; i++)
		words_add(&argv, question[i]);
	if (program_run(&argv, NULL, out, NULL, &ignored))
		buf_trim(out, start);
	while (out->len > start && out->p[out->len - 1] == '\n')
		buf_trim(out, out->len - 1);
	err_release(&ignored);
	words_release(&argv);
}
