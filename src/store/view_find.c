/*
 * store/view_find.c - where an ID is.
 * One job: the blocks of a view that may hold one ID, by the merged indexes and those of the segments.
 * Floor: 2 (uses record, base).
 *
 * The merged indexes (idfile.h) say of most sealed segments that they have not the ID, so these stay shut.  All others
 * are asked themselves: those that a merged index names, the streams, and what is not merged yet.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/idfile.h"
#include "store/view_internal.h"

void
view_drop_idfiles(struct store_view *v)
{
	struct view_idfiles *x = &v->idfiles;
	size_t i;

	for (i = 0; i < x->n; i++)
		(void)idfile_close(x->v[i]);
	free(x->v);
	*x = (struct view_idfiles){ 0 };
}

static void
say_bad(struct store_view *v, uint64_t number, const char *what)
{
	char name[IDFILE_NAME_MAX];

	idfile_name(name, number);
	view_fault(v, IDFILE_FOLDER "/%s: %s; the segments are asked themselves", name, what);
}

/* One that vanishes meanwhile was merged into another, which this view does without. */
static int
open_idfile(struct store_view *v, int index_fd, uint64_t number)
{
	char name[IDFILE_NAME_MAX];
	struct idfile *f = NULL;
	int r = idfile_open(&f, index_fd, number, v->man.uuid);

	if (r == 0)
		v->idfiles.v[v->idfiles.n++] = f;
	if (r == 0 || r == -ENOMEM || r == IDFILE_E_FORMAT)
		return r < 0 ? err_trace(r) : 0;
	idfile_name(name, number);
	if (r > 0 || faccessat(index_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		say_bad(v, number, r > 0 ? "is damaged" : err_str(r));
	return 0;
}

static int
open_idfiles(struct store_view *v)
{
	AUTO_FREE uint64_t *numbers = NULL;
	AUTO_CLOSE int index_fd = -1;
	size_t n = 0, i;
	int r = idfile_numbers(v->dir_fd, &index_fd, &numbers, &n);

	if (r == -ENOMEM)
		return err_trace(r);
	if (r < 0)
		view_fault(v, IDFILE_FOLDER ": %s; the segments are asked themselves", err_str(r));
	if (n == 0)
		return 0;
	v->idfiles.v = calloc(n, sizeof(struct idfile *));
	if (v->idfiles.v == NULL)
		return err_origin(-ENOMEM);
	/* The newest first: it has what older ones were made into it. */
	for (i = n, r = 0; i > 0 && r == 0; i--)
		r = open_idfile(v, index_fd, numbers[i - 1]);
	return err_trace(r);
}

static void
place_segment(const struct view_idfiles *x, struct view_segment *vs)
{
	uint64_t stamp = 0;
	size_t i, place;

	vs->idfile = 0;
	vs->marked = false;
	for (i = 0; i < x->n && vs->idfile == 0; i++) {
		if (vs->info.number < x->v[i]->segments[0].number ||
		    vs->info.number > x->v[i]->segments[x->v[i]->n_segments - 1].number)
			continue;
		if (stamp == 0)
			stamp = idfile_stamp(&vs->info);
		place = idfile_place(x->v[i], vs->info.number, stamp);
		if (place == SIZE_MAX)
			continue;
		vs->idfile = (uint32_t)i + 1;
		vs->place = (uint32_t)place;
		vs->marked = x->v[i]->segments[place].stamp != stamp;
	}
}

int
view_load_idfiles(struct store_view *v)
{
	size_t i;
	int r = 0;

	(void)pthread_mutex_lock(&v->open_lock);
	if (!v->idfiles.loaded) {
		r = open_idfiles(v);
		for (i = 0; r == 0 && i < v->n_segs && v->idfiles.n > 0; i++)
			if (v->segs[i].info.state == MANIFEST_SEALED)
				place_segment(&v->idfiles, &v->segs[i]);
		v->idfiles.loaded = r == 0;
	}
	(void)pthread_mutex_unlock(&v->open_lock);
	return err_trace(r);
}

/* Blocks that an ID may be in; a bit each, so that every one comes once and in order. */
struct finder {
	struct view_segment *vs;
	uint64_t *bits;
	uint32_t first_block;
};

static int
found(void *ctx, uint32_t block)
{
	struct finder *f = ctx;

	if (f->first_block + block < f->vs->seg->blocks.n)
		bits_set(f->bits, f->vs->order[f->first_block + block]);
	return 0;
}

static void
find_all(struct finder *f, size_t from, size_t n)
{
	size_t i;

	for (i = from; i < from + n && i < f->vs->seg->blocks.n; i++)
		bits_set(f->bits, f->vs->order[i]);
}

static bool
has_fp(const uint32_t *fps, size_t n, uint32_t fp)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (fps[mid] < fp)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && fps[lo] == fp;
}

static void
find_in_tail(struct finder *f, uint32_t fp)
{
	const struct segment *s = f->vs->seg;
	const uint32_t *fps;
	size_t i, n;

	for (i = s->n_indexed; i < s->blocks.n; i++) {
		fps = idlists_get(&s->tail_ids, i - s->n_indexed, &n);
		if (s->blocks.v[i].ids_lost || has_fp(fps, n, fp))
			bits_set(f->bits, f->vs->order[i]);
	}
}

/* A part of the index that cannot be read makes all its blocks candidates: none is missed. */
static void
find_in_index(struct store_view *v, struct finder *f, const struct segment_index *x, uint32_t fp)
{
	struct idindex_shape shape = { x->n_ids, x->n_blocks };
	int r;

	f->first_block = x->first_block;
	r = idindex_find(f->vs->seg->fd, x->at, shape, fp, found, f);
	if (r == 0)
		return;
	view_fault(v, "%s: at offset %llu: the ID index %s", f->vs->seg->name,
	    (unsigned long long)x->at, r > 0 ? "is damaged" : err_str(r));
	find_all(f, x->first_block, x->n_blocks);
}

static void
find_in_segment(struct store_view *v, struct finder *f, uint32_t fp)
{
	const struct segment *seg = f->vs->seg;
	int fd, r = 0;
	size_t k;

	if (seg == NULL)
		return;
	if (!seg->no_index && seg->n_indexes > 0)
		r = view_fd_take(v, f->vs, &fd);
	if (r < 0)
		view_fault(v, "%s: at offset 0: %s", seg->name, err_str(r));
	if (r == VIEW_E_VANISHED)
		return;
	if (r < 0 || seg->no_index) {
		find_all(f, 0, seg->blocks.n);
		return;
	}
	for (k = 0; k < seg->n_indexes; k++)
		find_in_index(v, f, &seg->indexes[k], fp);
	if (seg->n_indexes > 0)
		view_fd_give(v, f->vs);
	find_in_tail(f, fp);
}

typedef uint64_t places_bits[BITS_WORDS(IDFILE_SEGMENTS_MAX)];

/*
 * What is looked for in the indexes: an ID, and for a phrase the mark of its field too.  A segment without marks is of a
 * version that knows nothing of the file "ids" as it is, and indexed the names that it made of it.
 */
struct wanted {
	uint32_t fps[2];
	unsigned n;
	uint64_t since;
	bool marked; /* other segments are read whole */
};

/* A bit more for each segment that each merged index names; of one that cannot be read, for all. */
static void
find_in_idfiles(struct store_view *v, uint32_t fp, places_bits *ret)
{
	const struct idfile *f;
	places_bits one;
	size_t i, w;
	int r;

	for (i = 0; i < v->idfiles.n; i++) {
		f = v->idfiles.v[i];
		r = idfile_find(f, fp, one);
		if (r != 0) {
			say_bad(v, f->number, r > 0 ? "is damaged" : err_str(r));
			bits_fill(one, IDFILE_SEGMENTS_MAX);
		}
		for (w = 0; w < ARRAY_LEN(one); w++)
			ret[i][w] |= one[w];
	}
}

/* All blocks of a segment. */
static int
mark_segment(struct store_view *v, size_t i, uint64_t *bits)
{
	struct view_segment *vs = &v->segs[i];
	struct finder f = { .bits = bits, .vs = vs };
	int r = store_view_open_segment(v, i);

	if (r == 0 && vs->seg != NULL)
		find_all(&f, 0, vs->seg->blocks.n);
	return err_trace(r);
}

static int
mark_in_segment(struct store_view *v, size_t i, const struct wanted *w, uint64_t *bits)
{
	struct view_segment *vs = &v->segs[i];
	struct finder f = { .bits = bits, .vs = vs };
	unsigned k;
	int r = store_view_open_segment(v, i);

	if (r < 0)
		return err_trace(r);
	if (w->marked && vs->seg != NULL && (vs->seg->head.compat & SEGMENT_MARKS) == 0)
		return err_trace(mark_segment(v, i, bits));
	for (k = 0; k < w->n; k++)
		find_in_segment(v, &f, w->fps[k]);
	return 0;
}

static int
mark_blocks(struct store_view *v, const struct wanted *w, uint64_t *bits)
{
	AUTO_FREE places_bits *named = calloc(v->idfiles.n + 1, sizeof(*named));
	struct view_segment *vs;
	size_t i;
	unsigned k;
	int r = 0;

	if (named == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; k < w->n; k++)
		find_in_idfiles(v, w->fps[k], named);
	for (i = 0; i < v->n_segs && r == 0; i++) {
		vs = &v->segs[i];
		if (vs->info.number < w->since)
			r = mark_segment(v, i, bits);
		else if (vs->idfile == 0 || (w->marked && !vs->marked) ||
		    bits_get(named[vs->idfile - 1], vs->place))
			r = mark_in_segment(v, i, w, bits);
	}
	return err_trace(r);
}

int
store_view_find_id(struct store_view *v, const struct store_id *id, struct arena *arena,
    uint32_t **ret, size_t *ret_n)
{
	struct wanted w = { .fps = { idindex_fp(hash64(id->value)) }, .n = 1 };
	AUTO_FREE uint64_t *bits = calloc(BITS_WORDS(v->n_blocks) + 1, sizeof(*bits));
	uint32_t *out;
	size_t i, n = 0;
	int r = bits == NULL ? err_origin(-ENOMEM) : view_load_idfiles(v);

	w.since = store_ids_since(&v->ids, id->field);
	w.marked = id->is_phrase || !v->ids.is_builtin;
	if (id->is_phrase)
		w.fps[w.n++] = idindex_fp(idindex_mark(id->field, id->dashes));
	if (r == 0)
		r = mark_blocks(v, &w, bits);
	if (r < 0)
		return err_trace(r);
	out = arena_alloc(arena, (bits_count(bits, v->n_blocks) + 1) * sizeof(*out));
	if (out == NULL)
		return err_origin(-ENOMEM);
	BITS_FOREACH(i, bits, v->n_blocks)
	out[n++] = (uint32_t)i;
	*ret = out;
	*ret_n = n;
	return 0;
}
