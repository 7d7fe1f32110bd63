/*
 * ingest/journal_status.c - how the journal's source is doing.
 * One job: its state, and how far behind it is, without libsystemd, which may not run here.
 * Floor: 3 (uses base).
 *
 * Each journal file's header says the number of its last entry.  The figure is for people: a damaged header makes it
 * wrong and nothing else.
 */
#include <fcntl.h>

#include "base/io.h"
#include "ingest/journal_files.h"
#include "ingest/journal_source.h"

/* Of a journal file's header. */
enum { HEADER_SEQNUM_ID = 72, HEADER_TAIL_SEQNUM = 160, HEADER_TAIL_NEEDED = 168 };

/* Of entries behind one position; more is a damaged number. */
#define LAG_ABSURD (UINT64_C(1) << 40)

static uint64_t
file_tail(const char *path, const struct journal_id *id)
{
	AUTO_CLOSE int fd = -1;
	uint8_t head[HEADER_TAIL_NEEDED];
	uint64_t seqnum = 0;
	size_t n, i;

	fd = io_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 || io_pread(fd, head, sizeof(head), 0, &n) != 0 || n != sizeof(head) ||
	    memcmp(head, "LPKSHHRH", 8) != 0 ||
	    memcmp(head + HEADER_SEQNUM_ID, id->b, sizeof(id->b)) != 0)
		return 0;
	for (i = 0; i < 8; i++)
		seqnum |= (uint64_t)head[HEADER_TAIL_SEQNUM + i] << (8 * i);
	return seqnum;
}

/* Entries beyond a position. */
static uint64_t
status_lag(struct str path, const struct journal_position *pos)
{
	AUTO_FINI(buf_fini) struct buf dir = BUF_INIT;
	struct journal_files files = { 0 };
	const struct journal_mark *last;
	uint64_t tail = 0, seqnum;
	size_t i;

	if (pos->n_marks == 0)
		return 0;
	last = &pos->marks[pos->n_marks - 1];
	buf_str(&dir, path);
	if (journal_files_list(&files, path.n != 0 ? buf_c_str(&dir) : NULL) == 0)
		for (i = 0; i < files.n; i++) {
			seqnum = file_tail(files.files[i].path, &last->seqnum_id);
			if (seqnum > tail && seqnum - last->seqnum < LAG_ABSURD)
				tail = seqnum;
		}
	journal_files_fini(&files);
	return tail > last->seqnum ? tail - last->seqnum : 0;
}

void
journal_source_status(struct source *s, void (*fn)(void *ctx, const struct source_status *st),
    void *ctx)
{
	struct journal_source *js = (struct journal_source *)(void *)s;
	AUTO_FINI(buf_fini) struct buf where = BUF_INIT;
	struct journal_position *pos;
	struct source_status st = {
		.kind = "journal",
		.name = js->name,
		.state = STR("reading"),
		.n_lines = js->n_lines,
		.n_bytes = js->n_bytes,
		.n_lost = js->n_lost,
		.last_line = js->last_line,
	};

	if (js->child.fd < 0)
		st.state = js->done ? STR("done") : STR("restarting");
	else if (js->state != JOURNAL_READER_READING)
		st.state = STR("waiting");
	else if (js->last_line.ns != 0 && wall_now().ns > js->last_line.ns)
		st.lag.ns = wall_now().ns - js->last_line.ns;
	pos = calloc(1, sizeof(*pos));
	if (pos != NULL && journal_position_decode(buf_view(&js->now), pos) == 0) {
		buf_c(&where, pos->cursor);
		if (js->state == JOURNAL_READER_READING)
			st.lag_lines = status_lag(js->opt.path, pos);
	}
	free(pos);
	st.position = buf_view(&where);
	fn(ctx, &st);
}
