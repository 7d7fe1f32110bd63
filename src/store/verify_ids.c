/*
 * store/verify_ids.c - the merged ID indexes against the segments.
 * One job: every page of every merged index, and that each says of a segment what the segment's own index says.
 * Floor: 2 (uses record, base).
 *
 * Both are boiled down to a sum over the fingerprints, which does not depend on their order; neighbours that are equal
 * count once, as an ID in many blocks of a segment is one entry in the merged index.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "store/idfile.h"
#include "store/view_internal.h"

/* What the fingerprints of one segment add up to. */
struct sum {
	uint64_t n, mix;
	uint32_t last;
};

static void
sum_add(struct sum *s, uint32_t fp)
{
	if (s->n > 0 && s->last == fp)
		return;
	s->last = fp;
	s->n++;
	s->mix += hash64(str_of(&fp, sizeof(fp)));
}

static int
add_merged(void *ctx, struct idindex_entry e)
{
	struct sum *sums = ctx;

	sum_add(&sums[e.block], e.fp);
	return 0;
}

static int
add_own(void *ctx, struct idindex_entry e)
{
	sum_add(ctx, e.fp);
	return 0;
}

static int
verify_segment(struct store_view *v, const struct idfile *f, struct view_segment *vs,
    const struct sum *merged)
{
	const struct segment_index *x;
	char name[IDFILE_NAME_MAX];
	struct sum own = { 0 };
	int r, fd;

	/* One whose own index is lost or damaged has its fault already. */
	if (vs->seg == NULL || vs->seg->n_indexes != 1)
		return 0;
	x = &vs->seg->indexes[0];
	r = view_fd_take(v, vs, &fd);
	if (r != 0)
		return 0;
	r = idindex_each(fd, x->at, (struct idindex_shape){ x->n_ids, x->n_blocks }, add_own, &own);
	view_fd_give(v, vs);
	if (r != 0)
		return r == -ENOMEM ? err_trace(r) : 0;
	idfile_name(name, f->number);
	if (own.n != merged->n || own.mix != merged->mix)
		view_fault(v, IDFILE_FOLDER "/%s: has other IDs than %s", name, vs->seg->name);
	return 0;
}

static int
verify_file(struct store_view *v, size_t i)
{
	const struct idfile *f = v->idfiles.v[i];
	AUTO_FREE struct sum *sums = calloc(f->n_segments, sizeof(*sums));
	struct view_segment *vs;
	char name[IDFILE_NAME_MAX];
	size_t k;
	int r;

	if (sums == NULL)
		return err_origin(-ENOMEM);
	r = idindex_each(f->fd, IDFILE_HEAD, idfile_shape(f), add_merged, sums);
	if (r == -ENOMEM)
		return err_trace(r);
	if (r != 0) {
		idfile_name(name, f->number);
		view_fault(v, IDFILE_FOLDER "/%s: %s; the segments are asked themselves", name,
		    r > 0 ? "is damaged" : err_str(r));
		return 0;
	}
	for (k = 0, r = 0; k < v->n_segs && r == 0; k++) {
		vs = &v->segs[k];
		if (vs->idfile == i + 1)
			r = verify_segment(v, f, vs, &sums[vs->place]);
	}
	return err_trace(r);
}

int
view_verify_idfiles(struct store_view *v)
{
	size_t i;
	int r = view_load_idfiles(v);

	for (i = 0; i < v->idfiles.n && r == 0; i++)
		r = verify_file(v, i);
	return err_trace(r);
}
