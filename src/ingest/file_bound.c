/*
 * ingest/file_bound.c - what is forgotten.
 * One job: keep names, identities and positions of files that are gone from growing without end.
 * Floor: 3 (uses base).
 *
 * What exists is never forgotten.  Positions of names that no glob finds any more (an input was taken out of the
 * configuration) are kept as long as there is room, in case it comes back; the first source counts them for all.
 */
#include <unistd.h>

#include "ingest/file_internal.h"

enum { SWEEP_MIN = 1024 };

/* A map whose values became 0 with time; without memory it stays as it is. */
static void
sweep_map(struct map *m)
{
	struct map fresh = MAP_INIT;
	struct map_entry *e;
	size_t i, n_dead = 0;

	for (i = 0; i < m->n; i++)
		n_dead += m->entries[i].value == 0;
	if (n_dead < SWEEP_MIN || n_dead * 2 < m->n)
		return;
	for (i = 0; i < m->n; i++) {
		if (m->entries[i].value == 0)
			continue;
		e = map_put(&fresh, m->entries[i].key, NULL);
		if (e == NULL) {
			map_fini(&fresh);
			return;
		}
		e->value = m->entries[i].value;
	}
	map_fini(m);
	*m = fresh;
}

/* Names that are gone and have nothing left to say. */
void
file_forget_names(struct file_source *s)
{
	struct map_entry *e;
	struct follow *f;
	size_t i = 0;

	while (i < s->n_follows) {
		f = s->follows[i];
		if (f->n_gens > 0 || f->state != FOLLOW_MISSING || f->scan == s->scan ||
		    f->queued) {
			i++;
			continue;
		}
		e = map_get(&s->by_path, str_c(f->path));
		if (e != NULL)
			e->value = 0;
		(void)follow_free(s, f);
		f = s->follows[--s->n_follows];
		if (i == s->n_follows)
			break;
		s->follows[i] = f;
		e = map_get(&s->by_path, str_c(f->path));
		if (e != NULL)
			e->value = i + 1;
	}
	s->full = s->full && s->n_follows >= s->opt.max_names;
	sweep_map(&s->by_path);
	sweep_map(&s->by_id);
}

int
file_stranger_add(struct file_source *s, const struct file_pos *pos, const char *path)
{
	struct stranger *v;

	v = reallocarray(s->strangers, s->n_strangers + 1, sizeof(*v));
	if (v == NULL)
		return err_origin(-ENOMEM);
	s->strangers = v;
	v += s->n_strangers;
	*v = (struct stranger){ .path = strdup(path) };
	if (v->path == NULL)
		return err_origin(-ENOMEM);
	file_pos_key(&pos->id, v->key);
	s->n_strangers++;
	return 0;
}

/* Those that ${keep} does not want go. */
static void
prune(struct file_source *s, bool (*keep)(const struct file_source *s, const struct stranger *v))
{
	size_t i, kept = 0;

	for (i = 0; i < s->n_strangers; i++)
		if (keep(s, &s->strangers[i]))
			s->strangers[kept++] = s->strangers[i];
		else
			free(s->strangers[i].path);
	s->n_strangers = kept;
}

static bool
is_strange(const struct file_source *s, const struct stranger *v)
{
	return !file_peer_names(s, v->path, false);
}

static bool
is_wanted(const struct file_source *s, const struct stranger *v)
{
	return !v->sent;
}

void
file_strangers_fini(struct file_source *s)
{
	while (s->n_strangers > 0)
		free(s->strangers[--s->n_strangers].path);
	free(s->strangers);
	s->strangers = NULL;
}

static size_t
count_gens(const struct file_source *s)
{
	size_t i, k, n = 0;

	for (i = 0; i < s->n_follows; i++)
		for (k = 0; k < s->follows[i]->n_gens; k++)
			n += !s->follows[i]->gens[k]->dead;
	return n;
}

static size_t
drop_strangers(struct file_source *s, size_t excess)
{
	struct stranger *v;
	size_t i, n = 0;

	for (i = 0; i < s->n_strangers && n < excess; i++) {
		v = &s->strangers[i];
		if (v->drop || !is_strange(s, v) || access(v->path, F_OK) == 0 ||
		    (errno != ENOENT && errno != ENOTDIR))
			continue;
		v->drop = true;
		n++;
	}
	return n;
}

/* Of each name all but the ${keep} newest that nobody sees any more. */
static size_t
drop_unseen(struct file_source *s, size_t keep, size_t excess)
{
	size_t i, k, seen, n = 0;
	struct follow *f;

	for (i = 0; i < s->n_follows && n < excess; i++) {
		f = s->follows[i];
		for (k = f->n_gens, seen = 0; f->old && k > 0 && n < excess; k--)
			if (gen_is_unseen(f->gens[k - 1]) && ++seen > keep) {
				f->gens[k - 1]->dead = f->gens[k - 1]->changed = true;
				n++;
			}
	}
	return n;
}

void
file_bound_positions(struct file_source *s)
{
	size_t i, keep, n, all = count_gens(s);

	if (s->opt.n_before > 0)
		return;
	/* By the first scan the sources after this one are there, too. */
	if (s->scan == 1)
		prune(s, is_strange);
	for (i = 0; i < s->n_peers; i++)
		all += count_gens(s->peers[i].source);
	for (i = 0; i < s->n_strangers; i++)
		all += !s->strangers[i].drop;
	if (all <= s->opt.max_positions)
		return;
	n = all - s->opt.max_positions;
	n -= drop_strangers(s, n);
	for (keep = FILE_UNSEEN_MAX; n > 0 && keep > 0;) {
		keep /= 2;
		n -= drop_unseen(s, keep, n);
		for (i = 0; i < s->n_peers; i++)
			n -= drop_unseen(s->peers[i].source, keep, n);
	}
}

int
file_strangers_put(struct file_source *s)
{
	size_t i;
	int r = 0;

	for (i = 0; i < s->n_strangers && r == 0; i++) {
		if (!s->strangers[i].drop)
			continue;
		r = s->base.intake.position(s->base.intake.ctx, str_c(s->strangers[i].key),
		    STR_NONE);
		s->strangers[i].sent = true;
	}
	return err_fold(r);
}

void
file_strangers_acked(struct file_source *s)
{
	prune(s, is_wanted);
}

void
file_strangers_again(struct file_source *s)
{
	size_t i;

	for (i = 0; i < s->n_strangers; i++)
		s->strangers[i].sent = false;
}
