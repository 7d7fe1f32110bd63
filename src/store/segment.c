/*
 * store/segment.c - the segment's small parts.
 * One job: the bytes of a segment's header, block entries and commits, and the lists they are read into.
 * Floor: 2 (uses record, base).
 */
#include "store/segment.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/io.h"

void
segment_name(char out[SEGMENT_NAME_MAX], uint64_t number)
{
	(void)snprintf(out, SEGMENT_NAME_MAX, "%010" PRIu64 ".seg", number);
}

bool
segment_name_parse(const char *name, uint64_t *ret)
{
	char again[SEGMENT_NAME_MAX];
	uint64_t v = 0;
	size_t i;

	for (i = 0; name[i] >= '0' && name[i] <= '9' && i < 19; i++)
		v = v * 10 + (uint64_t)(name[i] - '0');
	segment_name(again, v);
	if (v == 0 || strcmp(name, again) != 0)
		return false;
	*ret = v;
	return true;
}

/*
 * Segment header, format 1: 4096 bytes, little-endian, zeros where nothing is said.
 *
 *   offset  size   field
 *        0     8   magic       "weirSEG" and a newline
 *        8     2   format      1; a reader refuses a higher one
 *       10     2   kind        1 stream, 2 sealed
 *       12     4   incompat    feature bits; a reader refuses one that it does not know; bit 0, of a stream: only who
 *                             knows what compat says goes on in it
 *       16     4   compat      feature bits that may be ignored; bit 0: the ID index has marks
 *       20     4   n_replaces
 *       24     8   number      of the segment
 *       32    16   uuid        of the store
 *       48     8   created     ns, wall clock
 *       56     8   keep        ns: the class; 0 is the store's retention
 *       64     8   first_row   number of the first row
 *       72     8   pred        the segment before a stream, 0 is none
 *       80     8   pred_end    offset behind the last trusted commit of pred
 *       88     8   pred_check  that commit's check
 *       96     4   part        of a sealed one, from 0
 *      100     4   n_parts     sealed segments that replace the same ones together
 *      104   8*n   replaces    numbers of the segments that it was made of
 *     4080     8   file        inode number of a stream as it was begun; 0: not said
 *     4088     8   hash64 of bytes 0 to 4087
 *
 * Written and synced before MANIFEST names the file; a crash before that leaves a file that nobody names.
 */
static const char head_magic[8] = "weirSEG\n";

void
segment_head_put(struct buf *out, const struct segment_head *head)
{
	static const uint8_t zeros[SEGMENT_HEAD];
	size_t start = out->n;
	uint32_t i;

	buf_put(out, head_magic, sizeof(head_magic));
	buf_u16(out, SEGMENT_FORMAT);
	buf_u16(out, (uint16_t)head->kind);
	buf_u32(out, head->kind == SEGMENT_STREAM ? SEGMENT_GOES_ON : 0);
	buf_u32(out, head->compat);
	buf_u32(out, head->n_replaces);
	buf_u64(out, head->number);
	buf_put(out, head->uuid, sizeof(head->uuid));
	buf_u64(out, (uint64_t)head->created.ns);
	buf_u64(out, (uint64_t)head->keep.ns);
	buf_u64(out, head->first_row);
	buf_u64(out, head->pred);
	buf_u64(out, head->pred_end);
	buf_u64(out, head->pred_check);
	buf_u32(out, head->part);
	buf_u32(out, head->n_parts);
	for (i = 0; i < head->n_replaces; i++)
		buf_u64(out, head->replaces[i]);
	if (out->failed)
		return;
	buf_put(out, zeros, SEGMENT_HEAD - 16 - (out->n - start));
	buf_u64(out, head->file);
	if (!out->failed)
		buf_u64(out, hash64(str_of(out->p + start, SEGMENT_HEAD - 8)));
}

static int
head_parse(struct scan *s, struct segment_head *ret)
{
	struct str uuid;
	uint32_t i, incompat;
	uint16_t format, kind;

	format = scan_u16(s);
	kind = scan_u16(s);
	incompat = scan_u32(s);
	if (format > SEGMENT_FORMAT || (incompat & ~(uint32_t)SEGMENT_GOES_ON) != 0)
		return SEGMENT_E_FORMAT;
	ret->compat = scan_u32(s);
	ret->n_replaces = scan_u32(s);
	ret->number = scan_u64(s);
	uuid = scan_bytes(s, sizeof(ret->uuid));
	if (s->bad || ret->n_replaces > SEGMENT_REPLACES_MAX ||
	    (kind != SEGMENT_STREAM && kind != SEGMENT_SEALED))
		return SEGMENT_E_CORRUPT;
	ret->kind = (enum segment_kind)kind;
	memcpy(ret->uuid, uuid.p, sizeof(ret->uuid));
	ret->created.ns = (int64_t)scan_u64(s);
	ret->keep.ns = (int64_t)scan_u64(s);
	ret->first_row = scan_u64(s);
	ret->pred = scan_u64(s);
	ret->pred_end = scan_u64(s);
	ret->pred_check = scan_u64(s);
	ret->part = scan_u32(s);
	ret->n_parts = scan_u32(s);
	for (i = 0; i < ret->n_replaces; i++)
		ret->replaces[i] = scan_u64(s);
	s->at = SEGMENT_HEAD - 16;
	ret->file = scan_u64(s);
	return s->bad ? SEGMENT_E_CORRUPT : 0;
}

int
segment_head_read(int fd, struct segment_head *ret)
{
	uint8_t p[SEGMENT_HEAD];
	struct segment_head head = { 0 };
	struct scan s = { p, sizeof(p), 8, false };
	struct scan sum = { p, sizeof(p), SEGMENT_HEAD - 8, false };
	size_t got = 0;
	int r;

	r = io_pread(fd, p, sizeof(p), 0, &got);
	if (r < 0)
		return err_trace(r);
	if (got != sizeof(p) || memcmp(p, head_magic, sizeof(head_magic)) != 0 ||
	    scan_u64(&sum) != hash64(str_of(p, SEGMENT_HEAD - 8)))
		return SEGMENT_E_CORRUPT;
	r = head_parse(&s, &head);
	if (r == 0)
		*ret = head;
	return r;
}

static bool
list_room(void **p, size_t *cap, size_t n, size_t extra, size_t size)
{
	size_t want = *cap;
	void *q;

	if (n + extra <= *cap)
		return true;
	while (want < n + extra)
		want = want < 16 ? 16 : want + want / 2;
	q = reallocarray(*p, want, size);
	if (q == NULL)
		return false;
	*p = q;
	*cap = want;
	return true;
}

int
segment_blocks_add(struct segment_blocks *l, const struct segment_block *b,
    const struct segment_run *runs)
{
	void *v = l->v, *rv = l->runs;
	bool ok = list_room(&v, &l->cap, l->n, 1, sizeof(*l->v));

	l->v = v;
	if (ok)
		ok = list_room(&rv, &l->cap_runs, l->n_runs, b->n_runs, sizeof(*l->runs));
	l->runs = rv;
	if (!ok)
		return err_origin(-ENOMEM);
	l->v[l->n] = *b;
	l->v[l->n].run_at = (uint32_t)l->n_runs;
	if (b->n_runs > 0)
		memcpy(l->runs + l->n_runs, runs, b->n_runs * sizeof(*runs));
	l->n++;
	l->n_runs += b->n_runs;
	return 0;
}

void
segment_blocks_fini(struct segment_blocks *l)
{
	free(l->v);
	free(l->runs);
	*l = (struct segment_blocks){ 0 };
}

/*
 * Block entry, version 1.  Little-endian.
 *
 *   offset  size  field
 *        0     8  body_at    offset of the block in the file; 0 in a BLOCK's own meta
 *        8     4  n_body     its bytes
 *       12     4  n_rows
 *       16     8  min_time   ns, of _time
 *       24     8  max_time
 *       32     8  raw_bytes  of the lines as they came in
 *       40     8  first_row  number of the first row
 *       48     8  end_row    one more than the number of the last
 *       56     8  committed  ns, wall clock of the commit; 0 in a stream's BLOCK
 *       64     8  keep       ns, the class
 *       72     4  n_runs     0 when the row numbers have no gap
 *       76  12*n  runs       first number (8), count (4)
 */
void
segment_entry_put(struct buf *out, const struct segment_block *b, const struct segment_run *runs)
{
	uint32_t i;

	buf_u64(out, b->body_at);
	buf_u32(out, b->n_body);
	buf_u32(out, b->sum.n_rows);
	buf_u64(out, (uint64_t)b->sum.min_time.ns);
	buf_u64(out, (uint64_t)b->sum.max_time.ns);
	buf_u64(out, b->sum.raw_bytes);
	buf_u64(out, b->first_row);
	buf_u64(out, b->end_row);
	buf_u64(out, (uint64_t)b->committed.ns);
	buf_u64(out, (uint64_t)b->keep.ns);
	buf_u32(out, b->n_runs);
	for (i = 0; i < b->n_runs; i++) {
		buf_u64(out, runs[i].first);
		buf_u32(out, runs[i].n);
	}
}

/* Whether the runs ascend and hold the rows that the entry says. */
static bool
runs_hold(const struct segment_block *b, const struct segment_run *runs)
{
	uint64_t at = b->first_row, n = 0;
	uint32_t i;

	if (b->end_row < b->first_row || b->end_row - b->first_row < b->sum.n_rows)
		return false;
	if (b->n_runs == 0)
		return b->end_row - b->first_row == b->sum.n_rows;
	for (i = 0; i < b->n_runs; i++) {
		if (runs[i].first < at || runs[i].first > b->end_row ||
		    runs[i].n > b->end_row - runs[i].first)
			return false;
		at = runs[i].first + runs[i].n;
		n += runs[i].n;
	}
	return runs[0].first == b->first_row && at == b->end_row && n == b->sum.n_rows;
}

static int
scan_runs(struct scan *s, struct segment_run **ret, uint32_t n)
{
	struct segment_run *runs;
	uint32_t i;

	if (n > BLOCK_ROWS_MAX || (s->n - s->at) / 12 < n)
		return SEGMENT_E_CORRUPT;
	if (n == 0)
		return 0;
	runs = calloc(n, sizeof(*runs));
	if (runs == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		runs[i].first = scan_u64(s);
		runs[i].n = scan_u32(s);
	}
	*ret = runs;
	return 0;
}

int
segment_entry_get(struct scan *s, struct segment_blocks *l)
{
	AUTO_FREE struct segment_run *runs = NULL;
	struct segment_block b = { 0 };
	int r;

	b.body_at = scan_u64(s);
	b.n_body = scan_u32(s);
	b.sum.n_rows = scan_u32(s);
	b.sum.min_time.ns = (int64_t)scan_u64(s);
	b.sum.max_time.ns = (int64_t)scan_u64(s);
	b.sum.raw_bytes = scan_u64(s);
	b.first_row = scan_u64(s);
	b.end_row = scan_u64(s);
	b.committed.ns = (int64_t)scan_u64(s);
	b.keep.ns = (int64_t)scan_u64(s);
	b.n_runs = scan_u32(s);
	if (s->bad || b.sum.n_rows == 0 || b.sum.n_rows > BLOCK_ROWS_MAX)
		return SEGMENT_E_CORRUPT;
	r = scan_runs(s, &runs, b.n_runs);
	if (r != 0)
		return r;
	if (s->bad || !runs_hold(&b, runs))
		return SEGMENT_E_CORRUPT;
	return err_trace(segment_blocks_add(l, &b, runs));
}

/*
 * COMMIT meta, version 1.  Little-endian.
 *
 *   offset  size  field
 *        0     8  sequence     of the commit in the store, from 1
 *        8     8  when         ns, wall clock
 *       16     8  next_row     the number that the next row gets
 *       24     8  directory    offset of the last DIRECTORY frame, or 0
 *       32     4  n_blocks     since the commit before
 *       36     4  n_positions
 *       40     4  whole        1: all positions follow; 0: what changed since the commit before
 *       44        block entries, with their offsets, so that one lost BLOCK header costs nothing;
 *                 positions: key length, key, value length, value; lengths are LEB128; no value
 *                 means that the key is gone
 */
void
segment_commit_put(struct buf *out, const struct segment_commit *c)
{
	buf_u64(out, c->sequence);
	buf_u64(out, (uint64_t)c->when.ns);
	buf_u64(out, c->next_row);
	buf_u64(out, c->directory);
	buf_u32(out, c->n_blocks);
	buf_u32(out, c->n_positions);
	buf_u32(out, c->whole ? 1 : 0);
}

bool
segment_commit_get(struct scan *s, struct segment_commit *ret)
{
	struct segment_commit c = { 0 };

	c.sequence = scan_u64(s);
	c.when.ns = (int64_t)scan_u64(s);
	c.next_row = scan_u64(s);
	c.directory = scan_u64(s);
	c.n_blocks = scan_u32(s);
	c.n_positions = scan_u32(s);
	c.whole = scan_u32(s) == 1;
	if (s->bad || c.sequence == 0)
		return false;
	*ret = c;
	return true;
}

int
segment_positions_each(struct scan *s, uint32_t n, segment_position_fn fn, void *ctx)
{
	struct str key, value;
	uint32_t i;
	int r;

	for (i = 0; i < n; i++) {
		key = scan_bytes(s, (size_t)scan_varint(s));
		value = scan_bytes(s, (size_t)scan_varint(s));
		if (s->bad)
			return SEGMENT_E_CORRUPT;
		r = fn != NULL ? fn(ctx, key, value) : 0;
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

/*
 * BLOCK meta, version 1: a block entry, then n_ids (4 bytes) and as many fingerprints (4 bytes each) that
 * ascend; a sealed segment has none here, they are in its footer's index.  The body is the block.
 */
void
segment_meta_put(struct buf *out, const struct segment_block *b, const struct segment_run *runs,
    const uint32_t *fps, size_t n_fps)
{
	size_t i;

	segment_entry_put(out, b, runs);
	buf_u32(out, (uint32_t)n_fps);
	if (!buf_grow(out, n_fps * 4))
		return;
	for (i = 0; i < n_fps; i++)
		buf_u32(out, fps[i]);
}

int
segment_meta_get(struct segment_meta *m, struct str meta)
{
	struct scan s = SCAN_OF(meta);
	void *p = m->fps;
	size_t i, n;
	int r;

	m->blocks.n = m->blocks.n_runs = 0;
	m->n_fps = 0;
	r = segment_entry_get(&s, &m->blocks);
	if (r != 0)
		return r;
	n = scan_u32(&s);
	if (s.bad || (s.n - s.at) / 4 < n)
		return SEGMENT_E_CORRUPT;
	if (!list_room(&p, &m->cap_fps, 0, n, sizeof(*m->fps)))
		return err_origin(-ENOMEM);
	m->fps = p;
	for (i = 0; i < n; i++)
		m->fps[i] = scan_u32(&s);
	m->n_fps = n;
	return 0;
}

void
segment_meta_fini(struct segment_meta *m)
{
	segment_blocks_fini(&m->blocks);
	free(m->fps);
	*m = (struct segment_meta){ 0 };
}

int
segment_open(struct segment **ret, int dir_fd, const char *name)
{
	AUTO(segment_close) struct segment *s = NULL;
	struct stat st;
	int r;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_origin(-ENOMEM);
	s->fd = -1;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->fd = io_open(dir_fd, name, O_RDONLY | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (s->fd < 0)
		return err_trace(s->fd);
	r = segment_head_read(s->fd, &s->head);
	if (r != 0)
		return r;
	s->end = SEGMENT_HEAD;
	s->chain.seed = frame_seed(s->head.uuid, s->head.number);
	s->chain.prev = s->chain.seed;
	s->is_copy = s->head.file != 0 && fstat(s->fd, &st) == 0 && st.st_ino != s->head.file;
	*ret = TAKE(s);
	return 0;
}

void
segment_shut(struct segment *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

static bool
is_same(const struct segment_head *a, const struct segment_head *b)
{
	return a->kind == b->kind && a->number == b->number && a->created.ns == b->created.ns &&
	    memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0;
}

int
segment_reopen(struct segment *s, int dir_fd)
{
	AUTO_CLOSE int fd =
	    io_open(dir_fd, s->name, O_RDONLY | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct segment_head head;
	int r = fd < 0 ? fd : segment_head_read(fd, &head);

	if (fd == -ENOENT)
		return SEGMENT_E_GONE;
	if (r < 0)
		return err_trace(r);
	if (r > 0 || !is_same(&head, &s->head))
		return err_origin(-ESTALE);
	s->fd = TAKE_FD(fd);
	return 0;
}

struct segment *
segment_close(struct segment *s)
{
	if (s == NULL)
		return NULL;
	if (s->fd >= 0)
		(void)close(s->fd);
	segment_blocks_fini(&s->blocks);
	free(s->indexes);
	idlists_fini(&s->tail_ids);
	free(s);
	return NULL;
}

int
segment_index_add(struct segment *s, uint64_t at, uint64_t n_ids, uint32_t n_blocks)
{
	struct segment_index *v;

	v = reallocarray(s->indexes, s->n_indexes + 1, sizeof(*v));
	if (v == NULL)
		return err_origin(-ENOMEM);
	s->indexes = v;
	v[s->n_indexes++] = (struct segment_index){ at, n_ids, (uint32_t)s->n_indexed, n_blocks };
	s->n_indexed += n_blocks;
	idlists_cut(&s->tail_ids, 0);
	return 0;
}
