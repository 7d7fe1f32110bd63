/*
 * ingest/file_peer.c - several inputs of files.
 * One job: let each file be read by one of them, also where their globs overlap and links lead to one file.
 * Floor: 3 (uses base).
 *
 * Names that two inputs have in common are of the earlier one.  A file that is known under other names is of
 * the one that has it: the first to see it, and after a restart the one whose name is in its position.
 */
#include "ingest/file_internal.h"

static int
add(struct file_source *s, struct file_source *other, bool before)
{
	struct file_peer *peers = reallocarray(s->peers, s->n_peers + 1, sizeof(*peers));

	if (peers == NULL)
		return err_origin(-ENOMEM);
	s->peers = peers;
	s->peers[s->n_peers++] = (struct file_peer){ other, before };
	return 0;
}

static void
drop(struct file_source *s, const struct file_source *other)
{
	size_t i, kept = 0;

	for (i = 0; i < s->n_peers; i++)
		if (s->peers[i].source != other)
			s->peers[kept++] = s->peers[i];
	s->n_peers = kept;
}

int
file_peers_join(struct file_source *s, struct source **before, size_t n)
{
	struct file_source *other;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++) {
		other = (struct file_source *)(void *)before[i];
		r = add(s, other, true);
		if (r == 0)
			r = add(other, s, false);
	}
	return err_trace(r);
}

void
file_peers_leave(struct file_source *s)
{
	size_t i;

	for (i = 0; i < s->n_peers; i++)
		drop(s->peers[i].source, s);
	free(s->peers);
	s->peers = NULL;
	s->n_peers = 0;
}

bool
file_peer_names(const struct file_source *s, const char *path, bool before)
{
	size_t i;

	for (i = 0; i < s->n_peers; i++)
		if ((s->peers[i].before || !before) && file_name_matches(s->peers[i].source, path))
			return true;
	return false;
}

bool
file_peer_has(const struct file_source *s, const struct file_id *id)
{
	const struct gen *g;
	size_t i;

	for (i = 0; i < s->n_peers; i++) {
		g = gen_by_id(s->peers[i].source, id);
		if (g != NULL && !g->dead)
			return true;
	}
	return false;
}
