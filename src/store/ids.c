/*
 * store/ids.c - which fields have the exact index in this store.
 * One job: the names of ID fields that the writer was given, for whoever asks the store later.
 * Floor: 2 (uses record, base).
 *
 * The file "ids": one name a line, a tab, and the number of the first segment whose index has it; there is none while the
 * built-in names hold and did so always.  It is replaced as a whole.  In an older segment the values of a name are not in
 * the index, unless they look like IDs, so such a segment is read; a seal makes its index anew.  Without the file an
 * answer is only narrower: `trace` looks at the built-in names alone.
 */
#include "store/ids.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/io.h"
#include "record/names.h"

#define IDS_FILE "ids"

/* Names and since when; those of text borrow from it. */
struct ids_list {
	struct buf text;
	struct str names[STORE_IDS_MAX];
	uint64_t since[STORE_IDS_MAX];
	size_t n;
	bool builtin; /* no file */
};

static void
ids_fini(struct ids_list *l)
{
	buf_fini(&l->text);
}

/* UINT64_MAX for what is no number. */
static uint64_t
ids_number(struct str s)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	return i > 0 && i == s.n && i < 20 ? v : UINT64_MAX;
}

/* A line without a number is of a version that did not know it: nothing is known to be in the index. */
static void
ids_line(struct ids_list *l, struct str line)
{
	size_t tab = str_find_byte(line, '\t');
	struct str name = str_sub(line, 0, tab);

	if (name.n == 0)
		return;
	l->names[l->n] = name;
	l->since[l->n++] =
	    tab != SIZE_MAX ? ids_number(str_sub(line, tab + 1, line.n)) : UINT64_MAX;
}

/* -errno: it cannot be read, and there are no names. */
static int
ids_read(int dir_fd, struct ids_list *l)
{
	int r = io_read_file(dir_fd, IDS_FILE, STORE_IDS_BYTES_MAX, &l->text);
	struct str rest = buf_view(&l->text);
	const struct str *builtin;
	size_t end;

	if (r == -ENOENT) {
		builtin = names_builtin_ids(&l->n);
		memcpy(l->names, builtin, l->n * sizeof(*builtin));
		l->builtin = true;
		return 0;
	}
	if (r < 0)
		return err_trace(r);
	while (l->n < STORE_IDS_MAX && (end = str_find_byte(rest, '\n')) != SIZE_MAX) {
		ids_line(l, str_sub(rest, 0, end));
		rest = str_sub(rest, end + 1, rest.n);
	}
	return 0;
}

static int
ids_set(const struct ids_list *l)
{
	int r = names_set_ids(l->names, l->builtin ? 0 : l->n);

	return r < 0 ? err_trace(r) : err_trace(names_set_since(l->since, l->n));
}

/* The names that are set, each since when it stood in ${have}, or from ${next} on. */
static void
ids_merge(struct ids_list *l, const struct ids_list *have, uint64_t next)
{
	const struct str *names = names_ids(&l->n);
	size_t i, k;

	if (l->n > STORE_IDS_MAX)
		l->n = STORE_IDS_MAX;
	for (i = 0; i < l->n; i++) {
		l->names[i] = names[i];
		l->since[i] = next;
		for (k = 0; k < have->n; k++)
			if (str_eq(have->names[k], names[i]) && have->since[k] < next)
				l->since[i] = have->since[k];
	}
}

/* Whether no file says the same. */
static bool
ids_are_builtin(const struct ids_list *l)
{
	size_t n, i;
	const struct str *builtin = names_builtin_ids(&n);

	if (l->n != n)
		return false;
	for (i = 0; i < n; i++)
		if (l->since[i] != 0 || !str_eq(l->names[i], builtin[i]))
			return false;
	return true;
}

static int
ids_write(int dir_fd, const struct ids_list *l, const struct ids_list *have)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i;

	if (ids_are_builtin(l))
		return have->builtin ? 0 : err_trace(io_unlink(dir_fd, IDS_FILE));
	for (i = 0; i < l->n; i++)
		/* One that no line can hold is none for readers. */
		if (str_find_byte(l->names[i], '\n') == SIZE_MAX &&
		    str_find_byte(l->names[i], '\t') == SIZE_MAX)
			buf_printf(&text, "%.*s\t%" PRIu64 "\n", STR_ARG(l->names[i]), l->since[i]);
	if (text.failed)
		return err_origin(-ENOMEM);
	if (str_eq(buf_view(&text), buf_view(&have->text)))
		return 0;
	return err_trace(io_replace_file(dir_fd, IDS_FILE, buf_view(&text), 0640));
}

int
store_ids_settle(int dir_fd, uint64_t next_segment)
{
	AUTO_FINI(ids_fini) struct ids_list have = { .text = BUF_INIT };
	AUTO_FINI(ids_fini) struct ids_list want = { .text = BUF_INIT };
	/* Of names that cannot be read nothing is known, and there are none to go back to. */
	bool known = ids_read(dir_fd, &have) == 0;
	int r, k;

	ids_merge(&want, &have, next_segment);
	r = ids_write(dir_fd, &want, &have);
	k = r < 0 && known ? ids_set(&have) : names_set_since(want.since, want.n);
	return r < 0 ? err_trace(r) : err_trace(k);
}

int
store_ids_load(const char *path)
{
	AUTO_FINI(ids_fini) struct ids_list have = { .text = BUF_INIT };
	AUTO_CLOSE int fd = -1;

	fd = io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || ids_read(fd, &have) < 0 || have.builtin || have.n == 0)
		return 0;
	return err_trace(ids_set(&have));
}
