/*
 * ingest/file_gen.c - one generation of a followed name.
 * One job: make, open, close and free it, and turn it into a position and back.
 * Floor: 3 (uses parsers, record, base).
 */
#include <fcntl.h>

#include "base/io.h"
#include "ingest/file_internal.h"

int
file_mark_copy(struct file_mark *to, const struct file_mark *from)
{
	struct buf group = to->group;

	buf_clear(&group);
	buf_str(&group, buf_view(&from->group));
	*to = *from;
	to->group = group;
	return buf_err(&group);
}

struct gen *
gen_by_id(struct file_source *s, const struct file_id *id)
{
	struct map_entry *e = map_get(&s->by_id, str_of(id->bytes, id->n));

	return e == NULL ? NULL : (struct gen *)(uintptr_t)e->value;
}

void
gen_forget_id(struct file_source *s, struct gen *g)
{
	if (g->id.n != 0 && gen_by_id(s, &g->id) == g)
		map_get(&s->by_id, str_of(g->id.bytes, g->id.n))->value = 0;
}

int
gen_set_id(struct file_source *s, struct gen *g, const struct file_id *id)
{
	struct map_entry *e;

	gen_forget_id(s, g);
	e = map_put(&s->by_id, str_of(id->bytes, id->n), NULL);
	if (e == NULL)
		return err_origin(-ENOMEM);
	e->value = (uint64_t)(uintptr_t)g;
	g->id = *id;
	return 0;
}

int
gen_set_path(struct gen *g, const char *path)
{
	char *copy = NULL;

	if (path != NULL && g->path != NULL && strcmp(path, g->path) == 0)
		return 0;
	if (path != NULL) {
		copy = strdup(path);
		if (copy == NULL)
			return err_origin(-ENOMEM);
	}
	free(g->path);
	g->path = copy;
	return 0;
}

static int
add_to_follow(struct follow *f, struct gen *g)
{
	struct gen **gens = reallocarray(f->gens, f->n_gens + 1, sizeof(*gens));

	if (gens == NULL)
		return err_origin(-ENOMEM);
	f->gens = gens;
	f->gens[f->n_gens++] = g;
	g->follow = f;
	return 0;
}

int
gen_new(struct file_source *s, struct follow *f, const struct file_id *id, struct gen **ret)
{
	struct gen *g = calloc(1, sizeof(*g));
	int r;

	if (g == NULL)
		return err_origin(-ENOMEM);
	g->fd = -1;
	g->grew = mono_now();
	r = add_to_follow(f, g);
	if (r < 0) {
		free(g);
		return err_trace(r);
	}
	g->seq = f->next_seq++;
	g->changed = true;
	r = gen_set_id(s, g, id);
	if (r < 0) {
		follow_remove_gen(s, g);
		return err_trace(r);
	}
	*ret = g;
	return 0;
}

void
gen_free(struct file_source *s, struct gen *g)
{
	gen_close(s, g);
	gen_forget_id(s, g);
	buf_fini(&g->now.group);
	buf_fini(&g->sent.group);
	buf_fini(&g->acked.group);
	free(g->path);
	free(g);
}

struct file_bytes
gen_bytes(const struct gen *g)
{
	return (struct file_bytes){ g->fd, g->zip };
}

/* A parser that is as it was at the mark. */
int
gen_back(struct file_source *s, struct gen *g)
{
	int r;

	g->parser = parser_free(g->parser);
	r = parser_new(&g->parser, &s->parser_opt, NULL);
	if (r != 0)
		return err_fold(r);
	if (g->now.group.n > 0)
		r = parser_load(g->parser, buf_view(&g->now.group));
	/* Bytes of another version or other options load as nothing. */
	return r < 0 ? err_trace(r) : 0;
}

/* The longest idle one that has nothing to read makes room. */
static void
close_idlest(struct file_source *s)
{
	struct gen *g, *idlest = NULL;
	size_t i, k;

	for (i = 0; i < s->n_follows; i++)
		for (k = 0; k < s->follows[i]->n_gens; k++) {
			g = s->follows[i]->gens[k];
			if (g->fd >= 0 && !g->ready && !g->gone && g->path != NULL &&
			    !parser_pending(g->parser) &&
			    (idlest == NULL || g->grew.ns < idlest->grew.ns))
				idlest = g;
		}
	if (idlest != NULL)
		gen_close(s, idlest);
}

int
gen_open(struct file_source *s, struct gen *g)
{
	AUTO_CLOSE int fd = -1;
	const char *why = NULL;
	struct file_stat st;
	struct file_id id;
	int r;

	if (g->fd >= 0)
		return 0;
	if (g->path == NULL)
		return GEN_E_GONE;
	if (s->n_open >= s->opt.max_open)
		close_idlest(s);
	fd = file_open(g->path, &st, &why);
	if (fd < 0)
		return why != NULL || fd == -ENOENT ? GEN_E_GONE : err_trace(fd);
	r = file_id_get(fd, &id);
	if (r < 0)
		return err_trace(r);
	if (!file_id_eq(&id, &g->id))
		return GEN_E_GONE;
	g->st = st;
	if ((g->flags & FILE_POS_ARCHIVE) != 0) {
		r = unzip_new(&g->zip, fd);
		if (r < 0)
			return err_trace(r);
	}
	r = gen_back(s, g);
	if (r < 0) {
		g->zip = unzip_free(g->zip);
		return err_trace(r);
	}
	g->fd = TAKE_FD(fd);
	s->n_open++;
	return 0;
}

void
gen_close(struct file_source *s, struct gen *g)
{
	if (g->fd < 0)
		return;
	g->parser = parser_free(g->parser);
	g->zip = unzip_free(g->zip);
	(void)close(g->fd);
	g->fd = -1;
	s->n_open--;
}

void
gen_position(const struct gen *g, const struct file_mark *m, struct file_pos *ret)
{
	*ret = (struct file_pos){
		.id = g->id,
		.seq = g->seq,
		.offset = m->offset,
		.size = g->size > m->offset ? g->size : m->offset,
		.head = m->head,
		.tail = m->tail,
		.part = m->part,
		.flags = g->flags | (g->cut ? FILE_POS_CUT : 0),
		.name = str_c(g->follow->path),
		.group = buf_view(&m->group),
	};
}

static int
set_mark(struct file_mark *m, const struct file_pos *pos)
{
	m->offset = pos->offset;
	m->head = pos->head;
	m->tail = pos->tail;
	m->part = pos->part;
	buf_clear(&m->group);
	buf_str(&m->group, pos->group);
	return buf_err(&m->group);
}

int
gen_load(struct file_source *s, const struct file_pos *pos)
{
	AUTO_FREE char *path = strndup((const char *)pos->name.p, pos->name.n);
	struct follow *f;
	struct gen *g;
	int r;

	if (path == NULL)
		return err_origin(-ENOMEM);
	/* The positions of all file sources stand together; those of other names are for others to go on from. */
	if (!file_name_matches(s, path))
		return s->opt.n_before == 0 ? err_trace(file_stranger_add(s, pos, path)) : 0;
	if (file_peer_names(s, path, true) || file_peer_has(s, &pos->id))
		return 0;
	r = follow_get(s, path, &f);
	if (r == 0)
		r = gen_new(s, f, &pos->id, &g);
	if (r < 0)
		return err_trace(r);
	f->had_positions = true;
	g->seq = pos->seq;
	if (f->next_seq <= pos->seq)
		f->next_seq = pos->seq + 1;
	g->size = pos->size;
	g->flags = pos->flags & ~(unsigned)FILE_POS_CUT;
	g->cut = (pos->flags & FILE_POS_CUT) != 0;
	g->changed = false;
	r = set_mark(&g->now, pos);
	if (r == 0)
		r = file_mark_copy(&g->sent, &g->now);
	if (r == 0)
		r = file_mark_copy(&g->acked, &g->now);
	return err_trace(r);
}
