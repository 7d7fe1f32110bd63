/*
 * ingest/journal_reader.c - the reader's loop.
 * One job: read on, batch by batch, whatever libsystemd answers, and sleep when there is nothing.
 * Floor: 3 (uses base).
 *
 * What may go wrong and what is done: an error is followed by sd_journal_process(), without which libsystemd 252 may
 * stay at the same entry for ever; a few errors in a row reopen the journal at the last sent position; a few of
 * those have every file probed.
 */
#include "ingest/journal_reader.h"

#include <poll.h>
#include <stdio.h>

enum { READER_NO_INOTIFY_MS = 1000 };

/* The daemon says nothing after the options; what arrives then is its end. */
static bool
daemon_gone(short revents)
{
	return (revents & (POLLIN | POLLHUP | POLLERR | POLLRDHUP)) != 0;
}

/* Blocked for a second, deleted journal files must be let go all the same. */
static int
send_wait(struct journal_reader *rd)
{
	struct pollfd pfd = { .fd = rd->fd, .events = POLLOUT | POLLRDHUP };
	int n;

	n = poll(&pfd, 1, 1000);
	if (n < 0 && errno != EINTR)
		return err_origin(-errno);
	if (n > 0 && daemon_gone(pfd.revents))
		return READER_E_END;
	if (n == 0 && rd->j != NULL && sd_journal_process(rd->j) == SD_JOURNAL_INVALIDATE)
		rd->count.removed = rd->relist_now = true;
	return 0;
}

int
journal_reader_send(struct journal_reader *rd)
{
	size_t at = 0;
	int r = 0;

	if (rd->out.failed)
		return err_origin(-ENOMEM);
	while (r == 0 && at < rd->out.n) {
		ssize_t k = write(rd->fd, rd->out.p + at, rd->out.n - at);

		if (k >= 0)
			at += (size_t)k;
		else if (errno == EAGAIN)
			r = send_wait(rd);
		else if (errno == EPIPE || errno == ECONNRESET)
			r = READER_E_END;
		else if (errno != EINTR)
			r = err_origin(-errno);
	}
	buf_clear(&rd->out);
	/* an entry of many MB must not cost that memory for ever */
	if (rd->out.cap > 8 * READER_BATCH_BYTES)
		buf_fini(&rd->out);
	return r;
}

void
journal_reader_note(struct journal_reader *rd, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	journal_proto_put_text(&rd->out, JOURNAL_FRAME_NOTE, str_of(text, (size_t)n));
}

static void
reader_state(struct journal_reader *rd, enum journal_reader_state state)
{
	journal_proto_put_state(&rd->out, state);
	rd->at_end = state != JOURNAL_READER_READING;
}

/* Forget what was read since the last send; it will be read again. */
static void
reader_drop(struct journal_reader *rd)
{
	buf_clear(&rd->entries);
	rd->n_entries = 0;
	rd->n_read = 0;
	rd->pos = rd->sent;
}

/* Send the batch with the position of its last entry, which is the current one. */
static int
reader_flush(struct journal_reader *rd)
{
	struct buf pos = BUF_INIT;
	int r;

	if (rd->n_read == 0)
		return 0;
	r = rd->in_apart ? 0 : journal_count_sample(rd);
	if (r < 0)
		return READER_E_REOPEN;
	if (rd->in_apart)
		journal_apart_count(rd, rd->n_read);
	journal_count_loss(rd);
	journal_position_encode(&rd->pos, &pos);
	journal_proto_put_batch(&rd->out, buf_view(&pos), rd->n_read, rd->n_entries,
	    buf_view(&rd->entries));
	buf_fini(&pos);
	r = journal_reader_send(rd);
	rd->sent = rd->pos;
	rd->n_reopens = 0;
	if (rd->entries.cap > 8 * READER_BATCH_BYTES)
		buf_fini(&rd->entries);
	reader_drop(rd);
	journal_pages();
	return r;
}

/* --once ends at entries that were written after it began. */
static bool
reader_past_once(struct journal_reader *rd)
{
	sd_id128_t boot;
	uint64_t us;

	return (rd->opt.flags & JOURNAL_ONCE) != 0 &&
	    sd_journal_get_monotonic_usec(rd->j, &us, &boot) >= 0 &&
	    sd_id128_equal(boot, rd->boot) && us > rd->once_until;
}

static int
reader_entry(struct journal_reader *rd)
{
	uint64_t realtime;
	int r;

	r = sd_journal_get_realtime_usec(rd->j, &realtime);
	if (r < 0)
		return r;
	r = rd->in_apart ? 0 : journal_count_entry(rd);
	if (r != 0)
		return r < 0 ? r : 0;
	r = journal_entry_put(rd, realtime);
	if (r < 0) {
		if (!rd->in_apart)
			journal_count_unread(rd);
		return r;
	}
	if (rd->n_read++ == 0)
		rd->batch_since = mono_now();
	if (rd->n_read >= READER_BATCH_ENTRIES || rd->entries.n >= READER_BATCH_BYTES)
		return reader_flush(rd);
	if (rd->n_read % 64 == 0 &&
	    mono_now().ns - rd->batch_since.ns > READER_BATCH_MS * NS_PER_MS)
		return reader_flush(rd);
	return 0;
}

static int
reader_error(struct journal_reader *rd)
{
	rd->count.damaged = true;
	(void)sd_journal_process(rd->j);
	return ++rd->n_errors >= READER_ERRORS_MAX ? READER_E_REOPEN : 0;
}

/* An entry that cannot be read however often the journal is opened: go past it, and tell. */
static int
reader_skip(struct journal_reader *rd)
{
	struct journal_proto_loss loss = { .n = 1, .reason = STR("an entry cannot be read") };

	rd->count.damaged = true;
	(void)sd_journal_process(rd->j);
	if (++rd->n_skips < READER_SKIPS_MAX) {
		journal_proto_put_loss(&rd->out, &loss);
		return journal_reader_send(rd);
	}
	loss =
	    (struct journal_proto_loss){ .reason = STR("no entry can be read: going to the end") };
	journal_proto_put_loss(&rd->out, &loss);
	rd->n_skips = 0;
	(void)sd_journal_seek_tail(rd->j);
	(void)sd_journal_previous(rd->j);
	return journal_reader_send(rd);
}

static int
wait_timeout(struct journal_reader *rd, bool have_fd)
{
	uint64_t until = UINT64_MAX, now = (uint64_t)(mono_now().ns / NS_PER_US);
	int ms = -1;

	if (!have_fd)
		return READER_NO_INOTIFY_MS;
	if (sd_journal_get_timeout(rd->j, &until) >= 0 && until != UINT64_MAX)
		ms = until <= now ? 0 : (int)((until - now) / 1000 % INT32_MAX + 1);
	if ((rd->unsure || rd->files.n == 0) && (ms < 0 || ms > READER_RETRY_MS))
		ms = READER_RETRY_MS;
	if (rd->chosen && rd->relist_due && (ms < 0 || ms > READER_RELIST_MS))
		ms = READER_RELIST_MS;
	return ms;
}

/* Something happened in the folders: are there files that we have to look at? */
static int
wait_files(struct journal_reader *rd, bool invalidated)
{
	bool due = invalidated || mono_now().ns - rd->listed.ns >= READER_RELIST_MS * NS_PER_MS;

	if (invalidated)
		rd->count.removed = true;
	if (!invalidated && !rd->chosen && !rd->unsure && rd->files.n != 0)
		return 0;
	rd->relist_due = !due;
	return due ? journal_reader_new_files(rd) : 0;
}

/* Sleep until the journal has changed.  READER_E_END, READER_E_REOPEN. */
static int
reader_wait(struct journal_reader *rd)
{
	struct pollfd pfd[2] = { { .fd = rd->fd, .events = POLLIN | POLLRDHUP } };
	int fd, n, r;

	fd = sd_journal_get_fd(rd->j);
	if (fd >= 0)
		pfd[1] = (struct pollfd){ .fd = fd, .events = (short)sd_journal_get_events(rd->j) };
	n = poll(pfd, fd >= 0 ? 2 : 1, wait_timeout(rd, fd >= 0));
	if (n < 0)
		return errno == EINTR ? 0 : err_origin(-errno);
	if (daemon_gone(pfd[0].revents))
		return READER_E_END;
	r = sd_journal_process(rd->j);
	if (r < 0)
		return READER_E_REOPEN;
	return wait_files(rd, r == SD_JOURNAL_INVALIDATE);
}

static int
reader_at_end(struct journal_reader *rd)
{
	int r;

	r = reader_flush(rd);
	if (r != 0)
		return r;
	if ((rd->opt.flags & JOURNAL_ONCE) != 0) {
		reader_state(rd, JOURNAL_READER_DONE);
		r = journal_reader_send(rd);
		return r != 0 ? r : READER_E_END;
	}
	if (!rd->at_end) {
		reader_state(rd, JOURNAL_READER_AT_END);
		r = journal_reader_send(rd);
		if (r != 0)
			return r;
	}
	return reader_wait(rd);
}

/* The files that are read apart, up to their end. */
static int
reader_apart(struct journal_reader *rd)
{
	sd_journal *main_journal;
	int r, more;

	r = journal_apart_begin(rd, &main_journal);
	if (r != 0)
		return r < 0 ? r : 0;
	rd->in_apart = true;
	while (r == 0 && (more = sd_journal_next(rd->j)) > 0) {
		r = reader_entry(rd);
		if (r < 0) {
			/* counted all the same, so that the place in the files is right */
			rd->n_read++;
			r = reader_skip(rd);
		}
	}
	if (r == 0)
		r = reader_flush(rd);
	rd->in_apart = false;
	sd_journal_close(rd->j);
	rd->j = main_journal;
	return r;
}

/* Reads until it must be opened anew, or ended. */
static int
reader_follow(struct journal_reader *rd)
{
	int r = 0;

	while (r == 0) {
		int more;

		if (rd->relist_now) {
			rd->relist_now = false;
			r = journal_reader_new_files(rd);
			continue;
		}
		more = sd_journal_next(rd->j);

		if (more < 0) {
			r = reader_error(rd);
			continue;
		}
		if (more > 0 && reader_past_once(rd)) {
			/* back to the last entry that is read, whose cursor is the position */
			(void)sd_journal_previous(rd->j);
			more = 0;
		}
		if (more == 0) {
			r = reader_at_end(rd);
			continue;
		}
		if (rd->at_end) {
			reader_state(rd, JOURNAL_READER_READING);
			r = journal_reader_send(rd);
			if (r != 0)
				break;
		}
		r = reader_entry(rd);
		if (r < 0) {
			r = rd->careful ? reader_skip(rd) : reader_error(rd);
		} else {
			rd->n_errors = 0;
			rd->n_skips = 0;
		}
	}
	return r;
}

/* Nothing to open, or not now: look again later, or at once where the journal just has to be opened anew. */
static int
reader_pause(struct journal_reader *rd, int ms)
{
	struct pollfd pfd = { .fd = rd->fd, .events = POLLIN | POLLRDHUP };
	int n;

	reader_state(rd, JOURNAL_READER_AT_END);
	n = journal_reader_send(rd);
	if (n != 0)
		return n;
	n = poll(&pfd, 1, ms);
	if (n < 0 && errno != EINTR)
		return err_origin(-errno);
	return n > 0 && daemon_gone(pfd.revents) ? READER_E_END : 0;
}

static int
reader_nothing(struct journal_reader *rd)
{
	if ((rd->opt.flags & JOURNAL_ONCE) == 0)
		return reader_pause(rd, READER_RETRY_MS);
	reader_state(rd, JOURNAL_READER_DONE);
	(void)journal_reader_send(rd);
	return READER_E_END;
}

/* A start point that is an entry goes to the daemon at once (journal_seek.c). */
static int
reader_start(struct journal_reader *rd)
{
	struct buf pos = BUF_INIT;

	if (strcmp(rd->pos.cursor, rd->sent.cursor) == 0)
		return 0;
	journal_position_encode(&rd->pos, &pos);
	journal_proto_put_batch(&rd->out, buf_view(&pos), 0, 0, STR_NONE);
	buf_fini(&pos);
	rd->sent = rd->pos;
	return journal_reader_send(rd);
}

/* Opened before, and no batch since. */
static int
reader_again(struct journal_reader *rd)
{
	int ms = 100 * (int)rd->n_reopens;

	rd->careful = true;
	rd->probe = rd->n_reopens % READER_REOPEN_MAX == 0;
	if ((rd->opt.flags & JOURNAL_ONCE) != 0 && rd->n_reopens > READER_GIVE_UP)
		return reader_nothing(rd);
	return reader_pause(rd, ms < READER_RETRY_MS ? ms : READER_RETRY_MS);
}

int
journal_reader_run(struct journal_reader *rd)
{
	int r;

	for (;;) {
		r = journal_reader_open(rd);
		if (r == READER_E_REOPEN) {
			journal_reader_close(rd);
			r = reader_nothing(rd);
			if (r != 0)
				return r;
			continue;
		}
		if (r == 0)
			r = reader_start(rd);
		if (r == 0)
			r = reader_apart(rd);
		if (r == 0)
			r = reader_follow(rd);
		journal_reader_close(rd);
		if (r != READER_E_REOPEN)
			return r;
		reader_drop(rd);
		rd->n_errors = 0;
		if (++rd->n_reopens > 1) {
			r = reader_again(rd);
			if (r != 0)
				return r;
		}
	}
}
