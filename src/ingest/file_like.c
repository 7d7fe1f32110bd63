/*
 * ingest/file_like.c - is this a copy of that.
 * One job: find out by content whether a file holds what was read of a generation.
 * Floor: 3 (uses base).
 */
#include "ingest/file_internal.h"

int
like_open(const char *path, bool archive, struct file_bytes *ret)
{
	const char *why = NULL;
	struct file_stat st;
	int r;

	ret->zip = NULL;
	ret->fd = file_open(path, &st, &why);
	if (ret->fd < 0)
		return err_trace(ret->fd);
	r = archive ? unzip_new(&ret->zip, ret->fd) : 0;
	if (r < 0) {
		(void)close(ret->fd);
		ret->fd = -1;
	}
	return err_trace(r);
}

void
like_close(struct file_bytes *b)
{
	b->zip = unzip_free(b->zip);
	if (b->fd >= 0)
		(void)close(b->fd);
	b->fd = -1;
}

/* Whether ${b}, which ends at ${n}, has the bytes before ${n} that the generation's own file has. */
static int
same_end(const struct gen *g, const struct file_bytes *b, uint64_t n, bool *ret)
{
	struct file_bytes own = gen_bytes(g);
	uint64_t from = n > FILE_TAIL_MAX ? n - FILE_TAIL_MAX : 0;
	uint8_t bytes[FILE_TAIL_MAX];
	struct file_print print;
	size_t got = 0;
	int r;

	*ret = true;
	if (g->fd < 0 || g->zip != NULL)
		return 0;
	r = file_bytes_read(b, bytes, (size_t)(n - from), from, &got);
	if (r < 0)
		return err_trace(r);
	print = file_print_of(str_of(bytes, got));
	return err_trace(file_print_at(&own, from, &print, ret));
}

/* The generation's own file, whether it is open or not; ret_mine: to be closed. */
static int
own_bytes(const struct gen *g, struct file_bytes *ret, bool *ret_mine)
{
	*ret_mine = false;
	*ret = gen_bytes(g);
	if (ret->fd >= 0 || g->path == NULL || g->dead)
		return 0;
	*ret_mine = like_open(g->path, (g->flags & FILE_POS_ARCHIVE) != 0, ret) == 0;
	return 0;
}

/*
 * Whether ${b}, of ${n} bytes, is a copy of the beginning of ${own}: its head and its end are there in the same places.  An
 * archive does not say how long it is: its head must do.
 */
int
like_copy(const struct file_bytes *own, const struct file_bytes *b, uint64_t n, bool *ret)
{
	uint8_t bytes[FILE_HEAD_MAX];
	uint64_t from = n > FILE_TAIL_MAX ? n - FILE_TAIL_MAX : 0;
	struct file_print print;
	size_t got = 0;
	int r;

	*ret = false;
	r = file_bytes_read(b, bytes, sizeof(bytes), 0, &got);
	print = file_print_of(str_of(bytes, got));
	if (r == 0 && got > 0)
		r = file_print_at(own, 0, &print, ret);
	if (r < 0 || !*ret || b->zip != NULL)
		return err_trace(r);
	r = file_bytes_read(b, bytes, (size_t)(n - from), from, &got);
	print = file_print_of(str_of(bytes, got));
	return r < 0 ? err_trace(r) : err_trace(file_print_at(own, from, &print, ret));
}

/* Too little of the generation was read to know it by its print, or the other file is shorter than that. */
static int
like_short(const struct gen *g, const struct file_bytes *b, uint64_t n, enum likeness *ret)
{
	struct file_bytes own;
	bool close_it = false, same = false;
	int r;

	r = own_bytes(g, &own, &close_it);
	/* An open archive is being read further on; to go back in it would read it twice. */
	if (r == 0 && own.fd >= 0 && (own.zip == NULL || close_it))
		r = like_copy(&own, b, n, &same);
	if (close_it)
		like_close(&own);
	*ret = same ? LIKE_PART : LIKE_NOT;
	return err_trace(r);
}

/*
 * Where the bytes of the generation are at hand, a copy that ends before the position is compared with them; else equal
 * heads must do.
 */
int
like_compare(const struct gen *g, const struct file_bytes *b, uint64_t n, enum likeness *ret)
{
	const struct file_mark *m = &g->now;
	uint8_t byte;
	bool same = false;
	size_t got = 0;
	int r;

	*ret = LIKE_NOT;
	if (m->head.n == 0 || (b->zip == NULL && n < m->head.n))
		return err_trace(like_short(g, b, n, ret));
	r = file_print_at(b, 0, &m->head, &same);
	if (r < 0 || !same)
		return err_trace(r);
	if (m->offset > 0)
		r = file_bytes_read(b, &byte, 1, m->offset - 1, &got);
	if (r < 0)
		return err_trace(r);
	if (got == 1 || m->offset == 0) {
		r = file_print_at(b, m->offset - m->tail.n, &m->tail, &same);
		*ret = same ? LIKE_ALL : LIKE_NOT;
		return err_trace(r);
	}
	if (b->zip == NULL)
		r = same_end(g, b, n, &same);
	*ret = same ? LIKE_PART : LIKE_NOT;
	return err_trace(r);
}

int
like_sibling(const struct gen *g, const struct sibling *sib, enum likeness *ret)
{
	struct file_bytes b;
	int r;

	*ret = LIKE_NOT;
	r = like_open(sib->path, sib->archive, &b);
	if (r < 0)
		return 0; /* gone or unreadable: it is like nothing now, and the next look tries again */
	r = like_compare(g, &b, sib->st.size, ret);
	like_close(&b);
	return err_trace(r);
}
