/*
 * store/ids.c - which fields have the exact index in this store.
 * One job: the names of ID fields that the writer was given, for whoever asks the store later.
 * Floor: 2 (uses record, base).
 *
 * The file "ids": one name a line, each ended by a newline; there is none while the built-in names hold.  It is
 * replaced as a whole.  Without it an answer is only narrower: `trace` looks at the built-in names alone.
 */
#include "store/ids.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "record/names.h"

#define IDS_FILE "ids"

int
store_ids_save(int dir_fd)
{
	AUTO_FINI(buf_fini) struct buf want = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf have = BUF_INIT;
	const struct str *names;
	size_t i, n;

	names = names_ids(&n);
	for (i = 0; i < n; i++) {
		buf_str(&want, names[i]);
		buf_byte(&want, '\n');
	}
	if (want.failed)
		return err_origin(-ENOMEM);
	/* A file that cannot be read is written anew. */
	(void)io_read_file(dir_fd, IDS_FILE, STORE_IDS_BYTES_MAX, &have);
	if (str_eq(buf_view(&want), buf_view(&have)))
		return 0;
	if (n == 0)
		return err_trace(io_unlink(dir_fd, IDS_FILE));
	return err_trace(io_replace_file(dir_fd, IDS_FILE, buf_view(&want), 0640));
}

int
store_ids_load(const char *path)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct str names[STORE_IDS_MAX], rest;
	AUTO_CLOSE int fd = -1;
	size_t n = 0, end;

	fd = io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || io_read_file(fd, IDS_FILE, STORE_IDS_BYTES_MAX, &text) < 0)
		return 0;
	rest = buf_view(&text);
	while (n < STORE_IDS_MAX && (end = str_find_byte(rest, '\n')) != SIZE_MAX) {
		if (end > 0)
			names[n++] = str_sub(rest, 0, end);
		rest = str_sub(rest, end + 1, rest.n);
	}
	return n > 0 ? err_trace(names_set_ids(names, n)) : 0;
}
