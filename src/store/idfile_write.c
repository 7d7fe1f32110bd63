/*
 * store/idfile_write.c - making a merged ID index.
 * One job: the indexes of segments and of older merged files in, one file out.
 * Floor: 2 (uses record, base).
 *
 * All inputs are sorted, so they are merged as streams: a page of each and what is about to be written is all the
 * memory that it takes, whatever their size (some 600 KiB).
 */
#include "store/idfile_write.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/segment.h"

enum { WRITE_BYTES = 256 << 10, FILE_MODE = 0640, STREAM_E_BAD = 3, GONE = UINT8_MAX };
#define TMP_NAME "tmp"

static_assert((int)IDFILE_SEGMENTS_MAX < (int)GONE, "a place fits into a byte");

/* One input. */
struct stream {
	struct segment *segment; /* or */
	struct idfile *file;
	const struct idfile_source *source; /* of the file */
	uint64_t number, stamp;             /* of the segment */
	uint8_t *place;                     /* of each of its segments in the new table, or GONE */
	struct idindex_cursor cursor;
	struct idindex_entry next; /* block is a place in the new table */
};

/*
 * Invariants: heap[0..n_heap) are the streams that have a next entry, the least one first;
 * file bytes before ${at} are written, out comes next.
 */
struct merge {
	struct idfile_job *job;
	struct stream streams[IDFILE_INPUTS_MAX];
	size_t n_streams;
	struct stream *heap[IDFILE_INPUTS_MAX];
	size_t n_heap;
	struct idfile head;
	struct idindex_writer writer;
	struct buf out;
	uint64_t at;
	int fd;
};

static void
merge_free(struct merge *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->n_streams; i++) {
		(void)segment_close(m->streams[i].segment);
		(void)idfile_close(m->streams[i].file);
		free(m->streams[i].place);
	}
	buf_fini(&m->writer.page);
	buf_fini(&m->out);
	if (m->fd >= 0)
		(void)close(m->fd);
	free(m);
}
DEFINE_AUTO(struct merge *, merge_free)

static void
note_bad(struct idfile_job *job, uint64_t number)
{
	if (job->n_bad < IDFILE_INPUTS_MAX)
		job->bad[job->n_bad++] = number;
}

static bool
is_bad(const struct idfile_job *job, uint64_t number)
{
	size_t i;

	for (i = 0; i < job->n_bad; i++)
		if (job->bad[i] == number)
			return true;
	return false;
}

/* A segment without a whole index is left out: it is asked itself. */
static int
open_segment(struct merge *m, const struct manifest_segment *g, uint64_t *bytes)
{
	struct stream *s = &m->streams[m->n_streams];
	AUTO(segment_close) struct segment *seg = NULL;
	const struct segment_index *x;
	struct idindex_shape shape;
	char name[SEGMENT_NAME_MAX];
	int r;

	segment_name(name, g->number);
	r = segment_open(&seg, m->job->dir_fd, name);
	if (r == 0)
		r = segment_load_sealed(seg, NULL);
	if (r == -ENOMEM)
		return err_trace(r);
	if (r != 0 || seg->no_index || seg->damaged || seg->n_indexes != 1 ||
	    seg->indexes[0].n_blocks != seg->blocks.n) {
		note_bad(m->job, g->number);
		return 0;
	}
	x = &seg->indexes[0];
	shape = (struct idindex_shape){ x->n_ids, x->n_blocks };
	if (m->n_streams >= 2 && *bytes + idindex_bytes(shape) > m->job->n_bytes_max)
		return 0;
	*bytes += idindex_bytes(shape);
	*s = (struct stream){ .number = g->number, .stamp = idfile_stamp(g) };
	if ((seg->head.compat & SEGMENT_MARKS) != 0)
		s->stamp ^= IDFILE_MARKED;
	s->cursor.fd = seg->fd;
	s->cursor.at = x->at;
	s->cursor.shape = shape;
	s->segment = TAKE(seg);
	m->n_streams++;
	return 0;
}

static int
open_file(struct merge *m, const struct idfile_source *source)
{
	struct stream *s = &m->streams[m->n_streams];
	AUTO(idfile_close) struct idfile *f = NULL;
	int r = idfile_open(&f, m->job->index_fd, source->number, m->job->uuid);

	if (r == -ENOMEM)
		return err_trace(r);
	if (r != 0) {
		m->job->bad_file = source->number;
		return STREAM_E_BAD;
	}
	*s = (struct stream){ .source = source };
	s->cursor.fd = f->fd;
	s->cursor.at = IDFILE_HEAD;
	s->cursor.shape = idfile_shape(f);
	s->file = TAKE(f);
	m->n_streams++;
	return 0;
}

static int
open_streams(struct merge *m)
{
	struct idfile_job *job = m->job;
	uint64_t bytes = 0;
	size_t i;
	int r = 0;

	for (i = 0; i < job->n_files && r == 0; i++)
		r = open_file(m, &job->files[i]);
	for (i = 0; i < job->n_segments && r == 0; i++)
		if (!is_bad(job, job->segments[i].number))
			r = open_segment(m, &job->segments[i], &bytes);
	return r;
}

static int
compare_segments(const void *a, const void *b)
{
	const struct idfile_segment *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int
add_segment(struct idfile *head, struct idfile_segment g)
{
	uint32_t i;

	for (i = 0; i < head->n_segments; i++)
		if (head->segments[i].number == g.number)
			return 0;
	if (head->n_segments == IDFILE_SEGMENTS_MAX)
		return err_origin(-EPROTO);
	head->segments[head->n_segments++] = g;
	return 0;
}

/* The new table: every segment of every stream that is to stay. */
static int
make_table(struct merge *m)
{
	struct idfile *head = &m->head;
	const struct stream *s;
	size_t i, k;
	int r = 0;

	for (i = 0; i < m->n_streams && r == 0; i++) {
		s = &m->streams[i];
		if (s->segment != NULL)
			r = add_segment(head, (struct idfile_segment){ s->number, s->stamp });
		for (k = 0; s->file != NULL && k < s->file->n_segments && r == 0; k++)
			if (bits_get(s->source->live, k))
				r = add_segment(head, s->file->segments[k]);
	}
	if (head->n_segments > 1)
		qsort(head->segments, head->n_segments, sizeof(head->segments[0]),
		    compare_segments);
	return r;
}

static uint8_t
place_of(const struct idfile *head, struct idfile_segment g)
{
	size_t place = idfile_place(head, g.number, g.stamp);

	return place == SIZE_MAX ? GONE : (uint8_t)place;
}

static int
make_places(struct merge *m)
{
	struct stream *s;
	size_t i, k, n;

	for (i = 0; i < m->n_streams; i++) {
		s = &m->streams[i];
		n = s->file != NULL ? s->file->n_segments : 1;
		s->place = malloc(n);
		if (s->place == NULL)
			return err_origin(-ENOMEM);
		for (k = 0; s->file != NULL && k < n; k++)
			s->place[k] = bits_get(s->source->live, k)
			    ? place_of(&m->head, s->file->segments[k])
			    : GONE;
		if (s->segment != NULL)
			s->place[0] =
			    place_of(&m->head, (struct idfile_segment){ s->number, s->stamp });
	}
	return 0;
}

/* The next entry of a segment that stays.  IDINDEX_E_END; STREAM_E_BAD: the stream is noted as such. */
static int
advance(struct merge *m, struct stream *s)
{
	struct idindex_entry e;
	int r;

	do {
		r = idindex_next(&s->cursor, &e);
		if (r == 0)
			e.block = s->place[s->file != NULL ? e.block : 0];
	} while (r == 0 && e.block == GONE);
	if (r == 0)
		s->next = e;
	if (r == 0 || r == IDINDEX_E_END || r == -ENOMEM)
		return r;
	if (s->file != NULL)
		m->job->bad_file = s->source->number;
	else
		note_bad(m->job, s->number);
	return STREAM_E_BAD;
}

static bool
before(const struct stream *a, const struct stream *b)
{
	return a->next.fp != b->next.fp ? a->next.fp < b->next.fp : a->next.block < b->next.block;
}

static void
sift_down(struct merge *m, size_t i)
{
	struct stream *s = m->heap[i];
	size_t child;

	for (; (child = 2 * i + 1) < m->n_heap; i = child) {
		if (child + 1 < m->n_heap && before(m->heap[child + 1], m->heap[child]))
			child++;
		if (!before(m->heap[child], s))
			break;
		m->heap[i] = m->heap[child];
	}
	m->heap[i] = s;
}

static int
make_heap(struct merge *m)
{
	size_t i;
	int r;

	for (i = 0; i < m->n_streams; i++) {
		r = advance(m, &m->streams[i]);
		if (r == 0)
			m->heap[m->n_heap++] = &m->streams[i];
		else if (r != IDINDEX_E_END)
			return r;
	}
	for (i = m->n_heap / 2; i > 0; i--)
		sift_down(m, i - 1);
	return 0;
}

static int
write_out(struct merge *m, size_t at_least)
{
	int r = buf_err(&m->out);

	if (r < 0 || m->out.n < at_least || m->out.n == 0)
		return err_trace(r);
	if (atomic_load(&m->job->stop))
		return IDFILE_E_STOPPED;
	r = io_pwrite(m->fd, m->out.p, m->out.n, m->at);
	if (r < 0)
		return err_trace(r);
	m->at += m->out.n;
	buf_clear(&m->out);
	return 0;
}

static int
write_entries(struct merge *m)
{
	struct idindex_entry last = { 0, UINT32_MAX }, e;
	int r = 0;

	while (m->n_heap > 0 && r == 0) {
		e = m->heap[0]->next;
		/* An ID in many blocks of one segment, or a segment in two files. */
		if (e.fp != last.fp || e.block != last.block)
			idindex_writer_put(&m->writer, e);
		last = e;
		r = advance(m, m->heap[0]);
		if (r == IDINDEX_E_END) {
			m->heap[0] = m->heap[--m->n_heap];
			r = 0;
		}
		if (m->n_heap > 0)
			sift_down(m, 0);
		if (r == 0)
			r = write_out(m, WRITE_BYTES);
	}
	if (r != 0)
		return r;
	m->writer.shape.n_ids = m->writer.n_put;
	idindex_writer_end(&m->writer);
	return write_out(m, 0);
}

static int
write_head(struct merge *m)
{
	struct idfile *head = &m->head;
	int r;

	head->number = m->job->number;
	head->created = m->job->created;
	head->n_ids = m->writer.n_put;
	memcpy(head->uuid, m->job->uuid, sizeof(head->uuid));
	buf_clear(&m->out);
	idfile_head_put(&m->out, head);
	m->at = 0;
	r = write_out(m, 0);
	return r == 0 ? err_trace(io_sync(m->fd)) : r;
}

static int
write_file(struct merge *m)
{
	int r;

	m->fd = io_open(m->job->index_fd, TMP_NAME,
	    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY, FILE_MODE);
	if (m->fd < 0)
		return err_trace(m->fd);
	m->at = IDFILE_HEAD;
	m->writer =
	    (struct idindex_writer){ .out = &m->out, .shape = { UINT64_MAX, m->head.n_segments } };
	r = write_entries(m);
	return r == 0 ? write_head(m) : r;
}

static int
name_file(struct idfile_job *job)
{
	char name[IDFILE_NAME_MAX];
	int r;

	idfile_name(name, job->number);
	r = io_rename(job->index_fd, TMP_NAME, name);
	return r == 0 ? err_trace(io_sync_dir(job->index_fd)) : err_trace(r);
}

static int
try_write(struct idfile_job *job)
{
	AUTO(merge_free) struct merge *m = calloc(1, sizeof(*m));
	int r;

	if (m == NULL)
		return err_origin(-ENOMEM);
	m->job = job;
	m->fd = -1;
	r = open_streams(m);
	if (r == 0 && m->n_streams == 0)
		return IDFILE_E_NOTHING;
	if (r == 0)
		r = make_table(m);
	if (r == 0)
		r = make_places(m);
	if (r == 0)
		r = make_heap(m);
	if (r == 0)
		r = write_file(m);
	return r == 0 ? err_trace(name_file(job)) : r;
}

int
idfile_write(struct idfile_job *job)
{
	int r;

	/* Each time one more segment is known to be bad. */
	do
		r = try_write(job);
	while (r == STREAM_E_BAD && job->bad_file == 0 && job->n_bad < IDFILE_INPUTS_MAX);
	if (r == STREAM_E_BAD)
		r = IDFILE_E_NOTHING;
	if (r != 0)
		(void)io_unlink(job->index_fd, TMP_NAME);
	return r;
}
