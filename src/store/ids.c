/*
 * store/ids.c - which fields have the exact index in this store.
 * One job: the names of ID fields that the writer was given, for whoever asks the store later.
 * Floor: 2 (uses record, base).
 *
 * The file "ids": one name a line, a tab, and the number of the first segment whose index has it; there is none while the
 * built-in names hold and did so always.  It is replaced as a whole, before a row comes by other names.  In an older
 * segment, and for a name that does not stand there, values need not be in the index, so such segments are read; a seal
 * makes its index anew.  A view reads the file behind all that it reads of segments, so that it knows at least as much as
 * whoever wrote them.
 */
#include "store/ids.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/io.h"
#include "record/names.h"

#define IDS_FILE "ids"

void
store_ids_fini(struct store_ids *l)
{
	buf_fini(&l->text);
	free(l->v);
	*l = (struct store_ids){ 0 };
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
ids_line(struct store_ids *l, struct str line)
{
	size_t tab = str_find_byte(line, '\t');
	struct str name = str_sub(line, 0, tab);
	uint64_t since = UINT64_MAX;

	if (tab != SIZE_MAX)
		since = ids_number(str_sub(line, tab + 1, line.n));
	if (name.n > 0)
		l->v[l->n++] = (struct store_ids_name){ name, since };
}

static void
ids_builtin(struct store_ids *l)
{
	size_t n, i;
	const struct str *names = names_builtin_ids(&n);

	for (i = 0; i < n && i < STORE_IDS_MAX; i++)
		l->v[l->n++].name = names[i];
	l->is_builtin = true;
}

int
store_ids_read(int dir_fd, struct store_ids *ret)
{
	struct str rest;
	size_t end;
	int r;

	*ret = (struct store_ids){ .text = BUF_INIT, .v = calloc(STORE_IDS_MAX, sizeof(*ret->v)) };
	if (ret->v == NULL)
		return err_origin(-ENOMEM);
	r = io_read_file(dir_fd, IDS_FILE, STORE_IDS_BYTES_MAX, &ret->text);
	if (r == -ENOENT)
		ids_builtin(ret);
	if (r < 0)
		return r == -ENOENT ? 0 : err_trace(r);
	rest = buf_view(&ret->text);
	while (ret->n < STORE_IDS_MAX && (end = str_find_byte(rest, '\n')) != SIZE_MAX) {
		ids_line(ret, str_sub(rest, 0, end));
		rest = str_sub(rest, end + 1, rest.n);
	}
	return 0;
}

uint64_t
store_ids_since(const struct store_ids *l, struct str field)
{
	uint64_t max = l->n > 0 ? 0 : UINT64_MAX;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (field.n > 0 && names_same_id(field, l->v[i].name))
			return l->v[i].since;
		max = l->v[i].since > max ? l->v[i].since : max;
	}
	return field.n > 0 ? UINT64_MAX : max;
}

static int
ids_set(const struct store_ids *l)
{
	AUTO_FREE struct str *names = calloc(l->n + 1, sizeof(*names));
	size_t i;

	if (names == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < l->n; i++)
		names[i] = l->v[i].name;
	return err_trace(names_set_ids(names, l->is_builtin ? 0 : l->n));
}

/* The names that are set, each since when it stood in ${have}, or from ${next} on. */
static int
ids_merge(struct store_ids *l, const struct store_ids *have, uint64_t next)
{
	size_t n, i, k;
	const struct str *names = names_ids(&n);

	*l = (struct store_ids){ .text = BUF_INIT, .v = calloc(n + 1, sizeof(*l->v)), .n = n };
	if (l->v == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		l->v[i] = (struct store_ids_name){ names[i], next };
		for (k = 0; k < have->n; k++)
			if (str_eq(have->v[k].name, names[i]) && have->v[k].since < next)
				l->v[i].since = have->v[k].since;
	}
	return 0;
}

/* Whether no file says the same. */
static bool
ids_are_builtin(const struct store_ids *l)
{
	size_t n, i;
	const struct str *builtin = names_builtin_ids(&n);

	if (l->n != n)
		return false;
	for (i = 0; i < n; i++)
		if (l->v[i].since != 0 || !str_eq(l->v[i].name, builtin[i]))
			return false;
	return true;
}

static int
ids_write(int dir_fd, const struct store_ids *l, const struct store_ids *have)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i;

	if (ids_are_builtin(l))
		return have->is_builtin ? 0 : err_trace(io_unlink(dir_fd, IDS_FILE));
	for (i = 0; i < l->n; i++)
		/* One that no line can hold is none for readers. */
		if (str_find_byte(l->v[i].name, '\n') == SIZE_MAX &&
		    str_find_byte(l->v[i].name, '\t') == SIZE_MAX)
			buf_printf(&text, "%.*s\t%" PRIu64 "\n", STR_ARG(l->v[i].name),
			    l->v[i].since);
	if (text.failed)
		return err_origin(-ENOMEM);
	if (str_eq(buf_view(&text), buf_view(&have->text)))
		return 0;
	return err_trace(io_replace_file(dir_fd, IDS_FILE, buf_view(&text), 0640));
}

int
store_ids_settle(int dir_fd, uint64_t next_segment, uint64_t *ret_since)
{
	AUTO_FINI(store_ids_fini) struct store_ids have = { 0 };
	AUTO_FINI(store_ids_fini) struct store_ids want = { 0 };
	/* Of names that cannot be read nothing is known, and there are none to go back to. */
	bool known = store_ids_read(dir_fd, &have) == 0;
	int r, k = 0;

	*ret_since = next_segment;
	r = ids_merge(&want, &have, next_segment);
	if (r == 0)
		r = ids_write(dir_fd, &want, &have);
	if (r == 0)
		*ret_since = store_ids_since(&want, STR_NONE);
	else if (known)
		k = ids_set(&have);
	return r < 0 ? err_trace(r) : err_trace(k);
}

int
store_ids_load(const char *path)
{
	AUTO_FINI(store_ids_fini) struct store_ids have = { 0 };
	AUTO_CLOSE int fd = -1;

	fd = io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || store_ids_read(fd, &have) < 0 || have.is_builtin || have.n == 0)
		return 0;
	return err_trace(ids_set(&have));
}
