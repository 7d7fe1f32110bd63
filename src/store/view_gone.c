/*
 * store/view_gone.c - files that went while they were read.
 * One job: what became of a segment whose file is not there any more, and what is said of it.
 * Floor: 2 (uses record, base).
 *
 * MANIFEST knows.  What expired went on purpose: its rows are left out, as in a view that had begun later.  What was merged stands
 * elsewhere, where this view does not look, so that its rows are missing.  It lingers for readers (retain.c), but not for ever.
 */
#include "store/view_internal.h"

/* Whether ${g} has rows of ${old}, which ends before row ${next}.  A stream has rows of several classes. */
static bool
has_rows_of(const struct manifest_segment *g, const struct manifest_segment *old, uint64_t next)
{
	return g->state != MANIFEST_RETIRED && g->number > old->number &&
	    (g->keep.ns == old->keep.ns || old->state != MANIFEST_SEALED) && g->first_row < next &&
	    old->first_row < g->next_row;
}

static enum view_gone
find_out(const struct store_view *v, const struct view_segment *vs)
{
	AUTO_FINI(manifest_fini) struct manifest m = { 0 };
	uint64_t next = vs->info.next_row;
	const struct manifest_segment *g;
	size_t i;

	if (manifest_read(v->dir_fd, &m) != 0 || memcmp(m.uuid, v->man.uuid, sizeof(m.uuid)) != 0)
		return VIEW_MISSING;
	g = manifest_find(&m, vs->info.number);
	if (g != NULL)
		return g->state != MANIFEST_RETIRED ? VIEW_MISSING
		    : g->next_row == 0              ? VIEW_EXPIRED
		                                    : VIEW_MERGED;
	/* Of one that was written then, MANIFEST did not know how far it went. */
	if (vs->info.state == MANIFEST_OPEN && vs->seg != NULL)
		next = vs->seg->commit.next_row;
	for (i = 0; i < m.n; i++)
		if (has_rows_of(&m.v[i], &vs->info, next))
			return VIEW_MERGED;
	return VIEW_EXPIRED;
}

enum view_gone
view_gone(struct store_view *v, const struct view_segment *vs)
{
	enum view_gone gone = find_out(v, vs);
	char name[SEGMENT_NAME_MAX];

	segment_name(name, vs->info.number);
	if (gone == VIEW_MISSING)
		view_fault(v, "%s: at offset 0: the file is missing", name);
	if (gone == VIEW_MERGED)
		view_fault(v,
		    "%s: merged into others while it was read: its rows are missing from the answer",
		    name);
	return gone;
}

void
view_gone_amid(struct store_view *v, const struct view_segment *vs)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(name, vs->info.number);
	if (vs->gone == VIEW_EXPIRED)
		view_fault(v, "%s: expired while it was read: values of its rows are missing",
		    name);
}
