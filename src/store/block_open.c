/*
 * store/block_open.c - a block's directory.
 * One job: read the directory, from its second copy if need be, and the heads of columns on demand.
 * Floor: 2 (uses base).
 */
#include "base/hash.h"
#include "store/block_internal.h"

static bool
sum_holds(const struct block *b, struct str bytes, uint32_t sum)
{
	return b->unchecked || hash32(bytes) == sum;
}

/* Read the directory whose header is ${h}, from ${at}; false (in *ret_ok) when its checksum does not hold. */
static int
read_dir(struct block *b, const struct block_header *h, uint64_t at, bool *ret_ok)
{
	uint8_t *dir = malloc((size_t)h->dir_len + 1);
	int r;

	*ret_ok = false;
	if (dir == NULL)
		return err_origin(-ENOMEM);
	r = b->io.read(b->io.ctx, at, h->dir_len, dir);
	if (r != 0 || !sum_holds(b, str_of(dir, h->dir_len), h->dir_sum)) {
		free(dir);
		return err_trace(r);
	}
	b->dir = dir;
	b->header = *h;
	b->data_at = BLOCK_HEADER + h->dir_len;
	*ret_ok = true;
	return 0;
}

/* The first copy: mostly in one read. */
static int
read_front(struct block *b, bool *ret_ok)
{
	uint8_t first[BLOCK_FIRST_READ];
	size_t n = b->io.n_bytes < sizeof(first) ? (size_t)b->io.n_bytes : sizeof(first);
	struct block_header h;
	int r;

	r = b->io.read(b->io.ctx, 0, n, first);
	if (r != 0)
		return err_trace(r);
	if (!block_header_get(first, !b->unchecked, &h) || h.n_bytes > b->io.n_bytes)
		return 0;
	if (BLOCK_HEADER + (size_t)h.dir_len > n)
		return err_trace(read_dir(b, &h, BLOCK_HEADER, ret_ok));
	if (!sum_holds(b, str_of(first + BLOCK_HEADER, h.dir_len), h.dir_sum))
		return 0;
	b->dir = malloc((size_t)h.dir_len + 1);
	if (b->dir == NULL)
		return err_origin(-ENOMEM);
	memcpy(b->dir, first + BLOCK_HEADER, h.dir_len);
	b->header = h;
	b->data_at = BLOCK_HEADER + h.dir_len;
	*ret_ok = true;
	return 0;
}

static int
read_back(struct block *b, bool *ret_ok)
{
	uint8_t last[BLOCK_HEADER];
	struct block_header h;
	int r;

	r = b->io.read(b->io.ctx, b->io.n_bytes - BLOCK_HEADER, BLOCK_HEADER, last);
	if (r != 0)
		return err_trace(r);
	if (!block_header_get(last, !b->unchecked, &h) || h.n_bytes != b->io.n_bytes)
		return 0;
	if (2 * (BLOCK_HEADER + (uint64_t)h.dir_len) > h.n_bytes)
		return 0;
	return err_trace(read_dir(b, &h, h.n_bytes - BLOCK_HEADER - h.dir_len, ret_ok));
}

static bool
entry_ok(const struct block *b, const struct block_entry *e)
{
	uint64_t room = b->header.n_bytes - b->data_at;

	if (e->at > room || e->len > room - e->at || e->role > ROLE_LINE)
		return false;
	return e->enc != ENC_REST || e->role == ROLE_FIELD;
}

static bool
is_listed(const struct block_entry *e)
{
	return e->role == ROLE_FIELD || e->role == ROLE_TIME || e->role == ROLE_STREAM;
}

/* Listed entries come first, so that block_column_at can count on it. */
static int
parse_dir(struct block *b)
{
	struct scan s = { b->dir, b->header.dir_len, 0, false };
	struct block_entry e;
	struct map_entry *m;
	size_t i, hidden = b->header.n_columns;
	uint32_t n_rest = 0;
	bool is_new;

	b->entries = calloc(b->header.n_columns + 1, sizeof(*b->entries));
	if (b->entries == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->header.n_columns; i++) {
		if (!block_entry_get(&s, &e) || !entry_ok(b, &e))
			return BLOCK_E_CORRUPT;
		if (e.enc == ENC_REST)
			e.rest_at = n_rest++;
		if (!is_listed(&e)) {
			b->entries[--hidden] = e;
			continue;
		}
		m = map_put(&b->by_name, e.name, &is_new);
		if (m == NULL)
			return err_origin(-ENOMEM);
		if (is_new)
			m->value = b->n_listed;
		b->entries[b->n_listed++] = e;
	}
	b->n_entries = b->header.n_columns;
	return s.at == s.n ? 0 : BLOCK_E_CORRUPT;
}

static int
open_any(struct block **ret, const struct block_io *io, bool unchecked)
{
	AUTO(block_free) struct block *b = calloc(1, sizeof(*b));
	bool ok = false;
	int r;

	if (b == NULL)
		return err_origin(-ENOMEM);
	b->io = *io;
	b->unchecked = unchecked;
	if (io->n_bytes < 2 * BLOCK_HEADER)
		return BLOCK_E_CORRUPT;
	r = read_front(b, &ok);
	if (r == 0 && !ok)
		r = read_back(b, &ok);
	if (r == 0)
		r = ok ? parse_dir(b) : BLOCK_E_CORRUPT;
	if (r != 0)
		return r;
	*ret = TAKE(b);
	return 0;
}

int
block_open(struct block **ret, const struct block_io *io)
{
	return open_any(ret, io, false);
}

void
block_share(struct block *b, struct block_zstd *z)
{
	if (b->zstd == NULL)
		b->shared = z;
}

int
block_open_unchecked(struct block **ret, const struct block_io *io)
{
	return open_any(ret, io, true);
}

struct block *
block_free(struct block *b)
{
	size_t i;

	if (b == NULL)
		return NULL;
	for (i = 0; b->entries != NULL && i < b->n_entries; i++)
		free(b->entries[i].head);
	free(b->entries);
	(void)block_rest_free(b->rest);
	free(b->dir);
	map_fini(&b->by_name);
	block_zstd_give(b->shared, b->zstd);
	free(b);
	return NULL;
}

int
block_fault(struct block *b, const struct block_entry *e, uint64_t at, const char *what)
{
	b->bad_column = e->name;
	b->bad_at = at;
	b->bad_what = what;
	return BLOCK_E_CORRUPT;
}

const char block_no_encoding[] = "the bytes from there on are not of the column's encoding";

int
block_damaged(struct block *b, const struct block_entry *e)
{
	return block_fault(b, e, b->bad_at,
	    b->bad_sum ? "the bytes from there on do not have their checksum" : block_no_encoding);
}

void
block_bad(const struct block *b, struct str *ret_column, uint64_t *ret_at, const char **ret_what)
{
	*ret_column = b->bad_column;
	*ret_at = b->bad_at;
	*ret_what = b->bad_what != NULL ? b->bad_what : "";
}

int
enc_read(const struct enc_chunk *c, uint64_t at, size_t n, uint32_t sum, uint8_t *out)
{
	int r;

	if (at > c->len || n > c->len - at)
		return BLOCK_E_CORRUPT;
	r = c->block->io.read(c->block->io.ctx, c->at + at, n, out);
	if (r != 0)
		return err_trace(r);
	if (sum_holds(c->block, str_of(out, n), sum))
		return 0;
	c->block->bad_at = c->at + at;
	c->block->bad_sum = true;
	return BLOCK_E_CORRUPT;
}

int
block_chunk(struct block *b, struct block_entry *e, struct enc_chunk *ret)
{
	uint8_t *head;
	int r;

	if (b->zstd == NULL)
		b->zstd = block_zstd_take(b->shared);
	if (b->zstd == NULL)
		return err_origin(-ENOMEM);
	*ret = (struct enc_chunk){ .n_rows = b->header.n_rows,
		.version = e->version,
		.scale = e->scale,
		.name = e->name,
		.block = b,
		.at = b->data_at + e->at,
		.len = e->len,
		.zstd = b->zstd };
	b->bad_at = ret->at;
	b->bad_sum = false;
	if (e->head == NULL) {
		head = malloc(e->head_len + ENC_PAD);
		if (head == NULL)
			return err_origin(-ENOMEM);
		r = enc_read(ret, 0, e->head_len, e->sum, head);
		if (r != 0) {
			free(head);
			return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : err_trace(r);
		}
		e->head = head;
	}
	ret->head = str_of(e->head, e->head_len);
	return 0;
}

struct block_entry *
block_entry_find(const struct block *b, struct str name)
{
	struct map_entry *m = map_get(&b->by_name, name);

	return m != NULL ? &b->entries[m->value] : NULL;
}
