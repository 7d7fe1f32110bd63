/*
 * store/rebuild.c - MANIFEST made again.
 * One job: tell from the segments alone which of them are the store.
 * Floor: 2 (uses record, base).
 *
 * A sealed segment says what it replaces and how many replace it together: they count when all of them
 * are there, else what they replace counts.  What retired earlier is known by its rows, which a sealed
 * segment that counts holds too.
 */
#include <dirent.h>
#include <fcntl.h>

#include "base/io.h"
#include "store/manifest.h"

/* One file of the folder. */
struct found {
	struct segment_head head;
	struct manifest_segment info;
	uint64_t first_row, end_row; /* of its blocks */
	bool whole;                  /* SEALED: its footer holds */
	bool out;
};
struct finds {
	struct found *v;
	size_t n, cap;
};

static void
describe(struct found *f, const struct segment *seg)
{
	struct manifest_segment *g = &f->info;
	const struct segment_block *b;
	size_t i;

	g->number = f->head.number;
	g->state = f->head.kind == SEGMENT_SEALED ? MANIFEST_SEALED : MANIFEST_CLOSED;
	g->keep = f->head.keep;
	g->end = f->head.kind == SEGMENT_SEALED ? 0 : seg->end;
	g->n_rows = seg->n_rows;
	g->n_blocks = seg->blocks.n;
	g->n_bytes = seg->end;
	g->raw_bytes = seg->raw_bytes;
	g->first_commit = seg->first_commit;
	g->last_commit = seg->commit.when;
	g->first_row = f->head.first_row;
	g->next_row = seg->commit.next_row;
	for (i = 0; i < seg->blocks.n; i++) {
		b = &seg->blocks.v[i];
		if (i == 0 || b->sum.min_time.ns < g->min_time.ns)
			g->min_time = b->sum.min_time;
		if (i == 0 || b->sum.max_time.ns > g->max_time.ns)
			g->max_time = b->sum.max_time;
		if (i == 0 || b->first_row < f->first_row)
			f->first_row = b->first_row;
		if (i == 0 || b->end_row > f->end_row)
			f->end_row = b->end_row;
		if (i == 0 || (g->keep.ns != 0 && (b->keep.ns == 0 || b->keep.ns > g->keep.ns)))
			g->keep = b->keep;
	}
}

static int
add_find(struct finds *l, const struct found *f)
{
	struct found *v;
	size_t cap;

	if (l->n >= MANIFEST_SEGMENTS_MAX)
		return 0;
	if (l->n == l->cap) {
		cap = l->cap < 16 ? 16 : l->cap * 2;
		v = reallocarray(l->v, cap, sizeof(*v));
		if (v == NULL)
			return err_origin(-ENOMEM);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = *f;
	return 0;
}

/* Look at one file; what is no readable segment of its own name is left out. */
static int
look(struct finds *l, int dir_fd, const char *name, struct manifest *m)
{
	AUTO(segment_close) struct segment *seg = NULL;
	struct found f = { 0 };
	uint64_t number = 0;
	int r;

	if (!segment_name_parse(name, &number))
		return 0;
	if (number >= m->next_segment)
		m->next_segment = number + 1;
	r = segment_open(&seg, dir_fd, name);
	if (r == SEGMENT_E_FORMAT)
		return MANIFEST_E_FORMAT;
	if (r < 0)
		return err_trace(r);
	if (r != 0 || seg->head.number != number)
		return 0;
	f.head = seg->head;
	if (seg->head.kind == SEGMENT_SEALED) {
		r = segment_load_sealed(seg, NULL);
		f.whole = !seg->damaged;
	} else {
		r = segment_load(seg, 0, SEGMENT_LOAD_QUICK, NULL);
		f.out = seg->commit.sequence == 0;
	}
	if (r < 0)
		return err_trace(r);
	describe(&f, seg);
	if (seg->commit.sequence > m->sequence)
		m->sequence = seg->commit.sequence;
	if (seg->commit.next_row > m->next_row)
		m->next_row = seg->commit.next_row;
	return err_trace(add_find(l, &f));
}

static struct found *
find(const struct finds *l, uint64_t number)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].head.number == number)
			return &l->v[i];
	return NULL;
}

/* How many whole parts there are of the group that ${f} belongs to. */
static uint32_t
parts_of(const struct finds *l, const struct found *f)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < l->n; i++)
		n += l->v[i].whole && l->v[i].head.n_parts == f->head.n_parts &&
		    l->v[i].head.n_replaces == f->head.n_replaces &&
		    memcmp(l->v[i].head.replaces, f->head.replaces,
		        f->head.n_replaces * sizeof(f->head.replaces[0])) == 0;
	return n;
}

static void
judge_sealed(struct finds *l, struct found *f)
{
	struct found *g;
	bool sources = false;
	uint32_t i;

	for (i = 0; i < f->head.n_replaces; i++)
		sources |= find(l, f->head.replaces[i]) != NULL;
	if (!sources)
		return;
	if (parts_of(l, f) < f->head.n_parts) {
		f->out = true;
		return;
	}
	for (i = 0; i < f->head.n_replaces; i++) {
		g = find(l, f->head.replaces[i]);
		if (g != NULL)
			g->out = true;
	}
}

/* Streams whose rows a sealed segment holds that was made from them long ago; and what a successor took over. */
static void
judge_stream(struct finds *l, struct found *f)
{
	const struct found *g;
	size_t i;

	for (i = 0; i < l->n && !f->out; i++) {
		g = &l->v[i];
		if (!g->out && g->head.kind == SEGMENT_SEALED && g->first_row >= f->first_row &&
		    g->first_row < f->end_row)
			f->out = true;
		if (g->head.kind == SEGMENT_STREAM && g->head.pred == f->head.number &&
		    g->head.pred_end < f->info.end)
			f->info.end = g->head.pred_end;
	}
}

static void
judge(struct finds *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].head.kind == SEGMENT_SEALED)
			judge_sealed(l, &l->v[i]);
	for (i = 0; i < l->n; i++)
		if (l->v[i].head.kind == SEGMENT_STREAM)
			judge_stream(l, &l->v[i]);
}

/* Only segments of one store count: that of the highest number. */
static int
fill(struct manifest *m, struct finds *l)
{
	const struct found *top = NULL;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (top == NULL || l->v[i].head.number > top->head.number)
			top = &l->v[i];
	if (top == NULL)
		return MANIFEST_E_NONE;
	memcpy(m->uuid, top->head.uuid, sizeof(m->uuid));
	m->created = top->head.created;
	for (i = 0; i < l->n; i++) {
		if (memcmp(l->v[i].head.uuid, m->uuid, sizeof(m->uuid)) != 0)
			continue;
		/* What does not count is kept in the list, so that its file goes in time. */
		if (l->v[i].out)
			l->v[i].info.state = MANIFEST_RETIRED;
		if (manifest_add(m, &l->v[i].info) == NULL)
			return err_origin(-ENOMEM);
	}
	return 0;
}

int
manifest_rebuild(int dir_fd, struct manifest *ret)
{
	AUTO_FINI(manifest_fini) struct manifest m = { .next_segment = 1 };
	struct finds l = { 0 };
	struct dirent *e;
	DIR *dir;
	int fd, r = 0;

	fd = io_open(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_trace(fd);
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return err_origin(-ENOMEM);
	}
	while (r == 0 && (e = readdir(dir)) != NULL)
		r = look(&l, dir_fd, e->d_name, &m);
	(void)closedir(dir);
	if (r == 0) {
		judge(&l);
		r = fill(&m, &l);
	}
	free(l.v);
	if (r != 0)
		return r;
	*ret = m;
	m = (struct manifest){ 0 };
	return 0;
}

int
manifest_load(int dir_fd, struct manifest *ret, bool *ret_rebuilt)
{
	int r = manifest_read(dir_fd, ret);

	*ret_rebuilt = false;
	if (r != MANIFEST_E_NONE && r != MANIFEST_E_CORRUPT)
		return r;
	r = manifest_rebuild(dir_fd, ret);
	*ret_rebuilt = r == 0;
	return r;
}
